// What the scan finds for the texts that rules ask about, and which facts that makes.

import {
  HEADER_TOUCHED,
  KIND_FALSE,
  KIND_NESTED,
  KIND_NULL,
  KIND_NUMBER,
  KIND_TEXT,
  KIND_TRUE,
  NUMBER_ENTRY_GO,
  NUMBER_ENTRY_PLAIN,
  SLOT_FACT,
  SLOT_FALSE_FACT,
  SLOT_KIND,
  SLOT_NESTED_LENGTH,
  SLOT_NULL_FACT,
  SLOT_NUMBER,
  SLOT_NUMBERS,
  SLOT_PENDING,
  SLOT_RAW,
  SLOT_SECOND_FACT,
  SLOT_STAMP,
  SLOT_TEXT,
  SLOT_TEXT_LENGTH,
  SLOT_TRUE_FACT,
  SLOT_VALUES,
} from '../layout';
import { header, pointer } from './header';
import { lookUpNumber, lookUpText } from './lookup';
import { nestedFact } from './nested';
import { isQuick, nearestDouble, numeral, quickDouble, readNumber, skipNumber } from './numbers';
import { scan, skipContainer, skipFalse, skipNull, skipTrue } from './scanner';
import { readString } from './strings';

export namespace slots {
  /** Number of the evaluation. What carries it as a stamp belongs to the alert in hand. */
  export let epoch: u32 = 0;
  /** Slots of `output_fields` with a value, listed at HEADER_TOUCHED. */
  export let touched: usize = 0;
}

/** Integers of up to so many characters are told apart by their doubles; longer ones by their digits. */
const EXACT_INTEGER: usize = 15;

// @ts-ignore: decorator
@inline
function touch(slot: usize): void {
  if (load<u32>(slot, SLOT_STAMP) == slots.epoch) return;
  store<u32>(slot, slots.epoch, SLOT_STAMP);
  store<u32>(header(HEADER_TOUCHED) + (slots.touched << 2), <u32>slot);
  slots.touched++;
}

/** No key of `output_fields` has a value any more. */
export function forgetFields(): void {
  const list = header(HEADER_TOUCHED);
  for (let i: usize = 0; i < slots.touched; i++) store<u32>(pointer(list + (i << 2), 0), 0, SLOT_STAMP);
  slots.touched = 0;
}

/**
 * Reads the value of a key of `output_fields` into its slot. Work that a hostile alert could cause again and again by
 * repeating the key is left to {@link settle}.
 */
// @ts-ignore: decorator
@inline
export function readField(slot: usize, at: usize): usize {
  return load<u8>(at) == 0x22 ? readTextField(slot, at) : readOtherField(slot, at);
}

// @ts-ignore: decorator
@inline
function readTextField(slot: usize, at: usize): usize {
  const next = readString(at + 1);
  if (!next) return 0;
  store<u32>(slot, <u32>scan.text, SLOT_TEXT);
  store<u32>(slot, <u32>scan.textLength, SLOT_TEXT_LENGTH);
  setValue(slot, at, KIND_TEXT, lookUpText(slot + SLOT_VALUES, scan.text, scan.textLength), 0);
  return next;
}

function readOtherField(slot: usize, at: usize): usize {
  let next: usize;
  let kind: u32;
  let fact: usize = 0;
  let pending: u32 = 0;
  switch (<u32>load<u8>(at)) {
    case 0x74:
      next = skipTrue(at);
      kind = KIND_TRUE;
      fact = pointer(slot, SLOT_TRUE_FACT);
      break;
    case 0x66:
      next = skipFalse(at);
      kind = KIND_FALSE;
      fact = pointer(slot, SLOT_FALSE_FACT);
      break;
    case 0x6e:
      next = skipNull(at);
      kind = KIND_NULL;
      fact = pointer(slot, SLOT_NULL_FACT);
      break;
    case 0x7b:
    case 0x5b:
      next = skipContainer(at, 2);
      kind = KIND_NESTED;
      pending = load<u32>(slot, SLOT_NESTED_LENGTH);
      break;
    default:
      return readNumberField(slot, at);
  }
  if (next) setValue(slot, at, kind, fact, pending);
  return next;
}

function readNumberField(slot: usize, at: usize): usize {
  const looksAtNumbers = load<u32>(slot, SLOT_NUMBERS) != 0;
  const next = looksAtNumbers ? readNumber(at) : skipNumber(at);
  if (!next) return 0;
  const quick = looksAtNumbers && isQuick();
  setValue(slot, at, KIND_NUMBER, 0, looksAtNumbers && !quick ? 1 : 0);
  if (quick) numberFacts(slot, next, quickDouble());
  return next;
}

/** Notes a value that begins at `at`. */
// @ts-ignore: decorator
@inline
function setValue(slot: usize, at: usize, kind: u32, fact: usize, pending: u32): void {
  touch(slot);
  store<u32>(slot, <u32>fact, SLOT_FACT);
  store<u32>(slot, 0, SLOT_SECOND_FACT);
  store<u32>(slot, kind, SLOT_KIND);
  store<u32>(slot, <u32>at, SLOT_RAW);
  store<u32>(slot, pending, SLOT_PENDING);
}

/** Judges a value that {@link readField} left open, now that it is the winning one. */
export function settle(slot: usize): void {
  store<u32>(slot, 0, SLOT_PENDING);
  if (load<u32>(slot, SLOT_KIND) == KIND_NUMBER) {
    const at = pointer(slot, SLOT_RAW);
    const next = readNumber(at);
    numberFacts(slot, next, nearestDouble(at));
    return;
  }
  store<u32>(slot, <u32>nestedFact(slot, false), SLOT_FACT);
  store<u32>(slot, <u32>nestedFact(slot, true), SLOT_SECOND_FACT);
}

/**
 * A number is equal to its plain form and to Go's form of its double. The plain form of an integer is its digits; beyond
 * the range of a double its spelling is all there is.
 */
// @ts-ignore: decorator
@inline
function numberFacts(slot: usize, end: usize, double: f64): void {
  const at = pointer(slot, SLOT_RAW);
  store<f64>(slot, double, SLOT_NUMBER);
  const finite = isFinite(double);
  const entry = finite ? lookUpNumber(slot + SLOT_NUMBERS, reinterpret<u64>(double)) : 0;
  let fact = entry ? pointer(entry, NUMBER_ENTRY_PLAIN) : 0;
  const second = entry ? pointer(entry, NUMBER_ENTRY_GO) : 0;
  if (!finite || (numeral.integer && end - at > EXACT_INTEGER)) fact = lookUpText(slot + SLOT_VALUES, at, end - at);
  store<u32>(slot, <u32>fact, SLOT_FACT);
  store<u32>(slot, <u32>second, SLOT_SECOND_FACT);
}

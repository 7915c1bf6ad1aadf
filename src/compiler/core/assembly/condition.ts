// Conditions. The linker writes the body of `talon_condition` for each policy: calls of the functions below, joined by bitwise
// operations on truths (TRUTH_FALSE, TRUTH_ERROR, TRUTH_TRUE). A value that is missing or of the wrong type is an error, which
// `&&` and `||` absorb as CEL says.

import {
  COMPARE_AT_LEAST,
  COMPARE_AT_MOST,
  COMPARE_EQUAL,
  COMPARE_LESS,
  COMPARE_MORE,
  FACT_STAMP,
  KIND_FALSE,
  KIND_NUMBER,
  KIND_TEXT,
  KIND_TRUE,
  SLOT_FACT,
  SLOT_KIND,
  SLOT_NUMBER,
  SLOT_STAMP,
  SLOT_TEXT,
  SLOT_TEXT_LENGTH,
  TRUTH_ERROR,
  TRUTH_FALSE,
  TRUTH_TRUE,
} from '../layout';
import { eventTextLength, eventTextStart, writeEventText } from './event-text';
import { pointer } from './header';
import { box, heap } from './heap';
import { sameBytes } from './lookup';
import { scan } from './scanner';
import { slots } from './slots';

/** The truth of a condition by its number. The last function of the module; its body is replaced when a policy is linked. */
// @ts-ignore: decorator
@external('talon', 'condition')
export declare function talon_condition(condition: u32): i32;

// @ts-ignore: decorator
@external('env', 'opa_builtin1')
declare function opa_builtin1(builtin: i32, context: usize, argument: usize): usize;

// @ts-ignore: decorator
@inline
function truth(holds: bool): i32 {
  return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

// @ts-ignore: decorator
@inline
function isPresent(slot: usize): bool {
  return load<u32>(slot, SLOT_STAMP) == slots.epoch;
}

// @ts-ignore: decorator
@inline
function isKind(slot: usize, kind: u32): bool {
  return load<u32>(slot, SLOT_KIND) == kind;
}

/** `"key" in event.output_fields` */
export function talon_test_present(slot: usize): i32 {
  return truth(isPresent(slot));
}

/** `"tag" in event.tags` */
export function talon_test_fact(fact: usize): i32 {
  return truth(load<u32>(fact, FACT_STAMP) == slots.epoch);
}

/** Equal to a text, whose fact this is. */
export function talon_test_text(slot: usize, fact: usize): i32 {
  if (!isPresent(slot)) return TRUTH_ERROR;
  return truth(isKind(slot, KIND_TEXT) && pointer(slot, SLOT_FACT) == fact);
}

/** Equal to true, false or null. */
export function talon_test_kind(slot: usize, kind: u32): i32 {
  return isPresent(slot) ? truth(isKind(slot, kind)) : TRUTH_ERROR;
}

/** The value itself as a truth. */
export function talon_test_truth(slot: usize): i32 {
  if (!isPresent(slot)) return TRUTH_ERROR;
  if (isKind(slot, KIND_TRUE)) return TRUTH_TRUE;
  return isKind(slot, KIND_FALSE) ? TRUTH_FALSE : TRUTH_ERROR;
}

/** Compared with a number below 2^53, beyond which doubles do not tell integers apart. */
export function talon_test_number(slot: usize, operator: i32, number: f64): i32 {
  if (!isPresent(slot)) return TRUTH_ERROR;
  if (!isKind(slot, KIND_NUMBER)) return operator == COMPARE_EQUAL ? TRUTH_FALSE : TRUTH_ERROR;
  const value = load<f64>(slot, SLOT_NUMBER);
  switch (operator) {
    case COMPARE_EQUAL:
      return truth(value == number);
    case COMPARE_LESS:
      return truth(value < number);
    case COMPARE_AT_MOST:
      return truth(value <= number);
    case COMPARE_MORE:
      return truth(value > number);
    case COMPARE_AT_LEAST:
      return truth(value >= number);
  }
  return TRUTH_ERROR;
}

export function talon_test_starts(slot: usize, text: usize, length: usize): i32 {
  if (!isPresent(slot) || !isKind(slot, KIND_TEXT)) return TRUTH_ERROR;
  return truth(pointer(slot, SLOT_TEXT_LENGTH) >= length && sameBytes(pointer(slot, SLOT_TEXT), text, length));
}

export function talon_test_ends(slot: usize, text: usize, length: usize): i32 {
  if (!isPresent(slot) || !isKind(slot, KIND_TEXT)) return TRUTH_ERROR;
  const whole = pointer(slot, SLOT_TEXT_LENGTH);
  return truth(whole >= length && sameBytes(pointer(slot, SLOT_TEXT) + whole - length, text, length));
}

/** Searches as the rule's author asks, in a text that the alert's author chose: at most length times length steps. */
export function talon_test_contains(slot: usize, text: usize, length: usize): i32 {
  if (!isPresent(slot) || !isKind(slot, KIND_TEXT)) return TRUTH_ERROR;
  const whole = pointer(slot, SLOT_TEXT_LENGTH);
  if (whole < length) return TRUTH_FALSE;
  if (length == 0) return TRUTH_TRUE;
  const first = i8x16.splat(load<i8>(text));
  const start = pointer(slot, SLOT_TEXT);
  const last = start + (whole - length);
  // Sixteen places at a time for the first byte, then the whole text where it stands.
  for (let at = start; at <= last; at += 16) {
    let places = i8x16.bitmask(i8x16.eq(v128.load(at), first));
    for (; places; places &= places - 1) {
      const place = at + ctz(places);
      if (place > last) return TRUTH_FALSE;
      if (sameBytes(place, text, length)) return TRUTH_TRUE;
    }
  }
  return TRUTH_FALSE;
}

export function talon_test_not(operand: i32): i32 {
  return operand == TRUTH_ERROR ? TRUTH_ERROR : TRUTH_TRUE - operand;
}

/** `condition ? yes : no` */
export function talon_test_choose(condition: i32, yes: i32, no: i32): i32 {
  if (condition == TRUTH_ERROR) return TRUTH_ERROR;
  return condition == TRUTH_TRUE ? yes : no;
}

/** Asks the host, by the builtin of this number, with the alert as argument. */
export function talon_test_host(builtin: i32): i32 {
  if (!writeEventText()) return TRUTH_ERROR;
  const before = (scan.decoded + 64) & ~7;
  heap.next = before;
  const answer = opa_builtin1(builtin, 0, box(eventTextStart(), eventTextLength()));
  heap.next = before;
  return answer && load<u8>(pointer(answer, 0)) == 0x74 ? TRUTH_TRUE : TRUTH_FALSE; // t of true
}

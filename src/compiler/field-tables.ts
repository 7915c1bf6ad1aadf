import { TalonError } from '../model/talon-error.ts';
import * as layout from './core/layout.ts';
import { isNumberText, numberForms } from './number-forms.ts';
import type { Segment } from './segment.ts';
import { hashDouble, hashText, tableSize } from './table-hash.ts';
import type { Slot } from './vocabulary.ts';

/** Brackets that a text of a nested value may have. The core recurses to that depth at most. */
export const MAX_BRACKETS = 500;

const NESTED = /^(?:map)?\[.*\]$/s;
/** What stands between the scalars of a nested text. */
const NESTED_MARKS = /[[\]: ]/;

/**
 * Writes a hash table from texts to values, and {pointer, mask} of it at an address. Without entries nothing is written: the
 * core then finds nothing without looking.
 */
export function placeTextTable(segment: Segment, at: number, entries: readonly (readonly [string, number])[]): void {
  if (entries.length === 0) return;
  const size = tableSize(entries.length);
  const table = segment.reserve(size * layout.TEXT_ENTRY_SIZE, 16);
  for (const [text, value] of entries) {
    const placed = segment.text(text);
    const hash = hashText(placed.bytes);
    const entry = freeEntry(hash, size, (index) => {
      const address = table + index * layout.TEXT_ENTRY_SIZE;
      return segment.readU32(address + layout.TEXT_ENTRY_VALUE) === 0 ? address : undefined;
    });
    segment.u32(entry + layout.TEXT_ENTRY_HASH, hash);
    segment.u32(entry + layout.TEXT_ENTRY_TEXT, placed.address);
    segment.u32(entry + layout.TEXT_ENTRY_LENGTH, placed.bytes.length);
    segment.u32(entry + layout.TEXT_ENTRY_VALUE, value);
  }
  segment.u32(at, table);
  segment.u32(at + 4, size - 1);
}

/** First free place from where the hash points to. The table must have one. */
function freeEntry(hash: number, size: number, free: (index: number) => number | undefined): number {
  for (let index = hash & (size - 1); ; index = (index + 1) & (size - 1)) {
    const address = free(index);
    if (address !== undefined) return address;
  }
}

/** Fills the records of all fields, and the table of the numbers that stand in texts of nested values. */
export function placeFields(segment: Segment, fields: ReadonlyMap<string, Slot>): void {
  const numberTexts = new Map<bigint, { plain?: string; go?: string }>();
  for (const [key, field] of fields) {
    placeTextTable(
      segment,
      field.address + layout.SLOT_VALUES,
      [...field.values].map(([text, { address }]) => [text, address]),
    );
    placeWords(segment, field);
    placeNumbers(segment, field);
    placeNested(segment, key, field, numberTexts);
  }
  placeNumberTexts(segment, numberTexts);
}

function placeWords(segment: Segment, { address, values }: Slot): void {
  segment.u32(address + layout.SLOT_TRUE_FACT, values.get('true')?.address ?? 0);
  segment.u32(address + layout.SLOT_FALSE_FACT, values.get('false')?.address ?? 0);
  segment.u32(address + layout.SLOT_NULL_FACT, values.get('<nil>')?.address ?? 0);
}

/** The table of doubles of a field; even an empty one tells the core that it must look at numbers. */
function placeNumbers(segment: Segment, { address, values, readsNumber }: Slot): void {
  if (!readsNumber && ![...values.keys()].some(isNumberText)) return;
  const doubles = new Map<bigint, { plain: number; go: number }>();
  for (const [text, fact] of values) {
    const forms = numberForms(text);
    if (!forms) continue;
    const known = doubles.get(forms.bits) ?? { plain: 0, go: 0 };
    if (forms.plain) known.plain = fact.address;
    if (forms.go) known.go = fact.address;
    doubles.set(forms.bits, known);
  }
  const size = tableSize(doubles.size);
  const table = segment.reserve(size * layout.NUMBER_ENTRY_SIZE, 16);
  for (const [bits, { plain, go }] of doubles) {
    const entry = freeNumberEntry(segment, table, size, layout.NUMBER_ENTRY_SIZE, bits, [
      layout.NUMBER_ENTRY_PLAIN,
      layout.NUMBER_ENTRY_GO,
    ]);
    segment.u64(entry + layout.NUMBER_ENTRY_BITS, bits);
    segment.u32(entry + layout.NUMBER_ENTRY_PLAIN, plain);
    segment.u32(entry + layout.NUMBER_ENTRY_GO, go);
  }
  segment.u32(address + layout.SLOT_NUMBERS, table);
  segment.u32(address + layout.SLOT_NUMBERS + 4, size - 1);
}

function freeNumberEntry(
  segment: Segment,
  table: number,
  size: number,
  entrySize: number,
  bits: bigint,
  used: readonly number[],
): number {
  return freeEntry(hashDouble(bits), size, (index) => {
    const address = table + index * entrySize;
    return used.every((offset) => segment.readU32(address + offset) === 0) ? address : undefined;
  });
}

/** Notes how long and deep the texts of lists and objects are that rules compare a field with, and which numbers are in them. */
function placeNested(
  segment: Segment,
  key: string,
  { address, values }: Slot,
  numberTexts: Map<bigint, { plain?: string; go?: string }>,
): void {
  let longest = 0;
  let brackets = 0;
  for (const text of values.keys()) {
    if (!NESTED.test(text)) continue;
    longest = Math.max(longest, segment.text(text).bytes.length);
    brackets = Math.max(brackets, text.split('[').length - 1);
    for (const token of text.split(NESTED_MARKS)) noteNumber(token, numberTexts);
  }
  if (brackets > MAX_BRACKETS) {
    throw new TalonError('rules', `a value for \`${key}\` has more than ${MAX_BRACKETS} opening brackets`);
  }
  segment.u32(address + layout.SLOT_NESTED_LENGTH, longest);
  segment.u32(address + layout.SLOT_NESTED_DEPTH, brackets);
}

function noteNumber(token: string, numberTexts: Map<bigint, { plain?: string; go?: string }>): void {
  const forms = numberForms(token);
  if (!forms) return;
  const known = numberTexts.get(forms.bits) ?? {};
  if (forms.plain) known.plain = token;
  if (forms.go) known.go = token;
  numberTexts.set(forms.bits, known);
}

function placeNumberTexts(segment: Segment, numberTexts: ReadonlyMap<bigint, { plain?: string; go?: string }>): void {
  if (numberTexts.size === 0) return;
  const size = tableSize(numberTexts.size);
  const table = segment.reserve(size * layout.NUMBER_TEXT_SIZE, 8);
  for (const [bits, { plain, go }] of numberTexts) {
    const entry = freeNumberEntry(segment, table, size, layout.NUMBER_TEXT_SIZE, bits, [
      layout.NUMBER_TEXT_PLAIN,
      layout.NUMBER_TEXT_GO,
    ]);
    segment.u64(entry + layout.NUMBER_TEXT_BITS, bits);
    if (plain !== undefined) segment.box(entry + layout.NUMBER_TEXT_PLAIN, plain);
    if (go !== undefined) segment.box(entry + layout.NUMBER_TEXT_GO, go);
  }
  segment.u32(layout.SEGMENT_AT + layout.HEADER_NUMBER_TEXTS, table);
  segment.u32(layout.SEGMENT_AT + layout.HEADER_NUMBER_TEXTS + 4, size - 1);
}

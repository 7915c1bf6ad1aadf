// The hash tables of the policy: texts and doubles to facts, slots or texts. They are closed: alerts add nothing.

import {
  NUMBER_ENTRY_BITS,
  NUMBER_ENTRY_GO,
  NUMBER_ENTRY_PLAIN,
  NUMBER_TEXT_BITS,
  NUMBER_TEXT_GO,
  NUMBER_TEXT_PLAIN,
  NUMBER_TEXT_SIZE,
  TEXT_ENTRY_HASH,
  TEXT_ENTRY_LENGTH,
  TEXT_ENTRY_TEXT,
  TEXT_ENTRY_VALUE,
} from '../layout';
import { pointer } from './header';

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** As `hashText` of the table builder. */
// @ts-ignore: decorator
@inline
function hashText(at: usize, length: usize): u32 {
  let hash: u64 = (<u64>length + 1) * MULTIPLIER;
  if (length > 8)
    do {
      hash = (hash ^ load<u64>(at)) * MULTIPLIER;
      hash ^= hash >> 32;
      at += 8;
      length -= 8;
    } while (length > 8);
  const last = length == 0 ? 0 : load<u64>(at) & (<u64>-1 >> <u64>(64 - (length << 3)));
  return <u32>(((hash ^ last) * MULTIPLIER) >> 32);
}

// @ts-ignore: decorator
@inline
export function sameBytes(a: usize, b: usize, length: usize): bool {
  while (length >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    length -= 8;
  }
  return length == 0 || (load<u64>(a) ^ load<u64>(b)) << <u64>(64 - (length << 3)) == 0;
}

/** What the policy knows under this text, or 0. `table` is the address of {pointer, mask}. */
// @ts-ignore: decorator
@inline
export function lookUpText(table: usize, at: usize, length: usize): usize {
  const entries = pointer(table, 0);
  if (!entries) return 0;
  const mask = pointer(table, 4);
  const hash = hashText(at, length);
  const entry = entries + ((<usize>hash & mask) << 4);
  const value = pointer(entry, TEXT_ENTRY_VALUE);
  if (!value || isEntryOf(entry, hash, at, length)) return value;
  return lookFarther(entries, mask, hash, at, length);
}

/** Looks in the entries after the first. */
function lookFarther(entries: usize, mask: usize, hash: u32, at: usize, length: usize): usize {
  let index = <usize>hash & mask;
  while (true) {
    index = (index + 1) & mask;
    const entry = entries + (index << 4);
    const value = pointer(entry, TEXT_ENTRY_VALUE);
    if (!value || isEntryOf(entry, hash, at, length)) return value;
  }
}

// @ts-ignore: decorator
@inline
function isEntryOf(entry: usize, hash: u32, at: usize, length: usize): bool {
  return (
    load<u32>(entry, TEXT_ENTRY_HASH) == hash &&
    pointer(entry, TEXT_ENTRY_LENGTH) == length &&
    sameBytes(pointer(entry, TEXT_ENTRY_TEXT), at, length)
  );
}

/** Where a double with these bits is looked for first. */
// @ts-ignore: decorator
@inline
function hashDouble(bits: u64): usize {
  return <usize>((bits * MULTIPLIER) >> 32);
}

/** The entry {bits, plain fact, Go's fact} of a double, or 0. */
// @ts-ignore: decorator
@inline
export function lookUpNumber(table: usize, bits: u64): usize {
  const entries = pointer(table, 0);
  const mask = pointer(table, 4);
  let index = hashDouble(bits) & mask;
  while (true) {
    const entry = entries + (index << 4);
    if ((load<u32>(entry, NUMBER_ENTRY_PLAIN) | load<u32>(entry, NUMBER_ENTRY_GO)) == 0) return 0;
    if (load<u64>(entry, NUMBER_ENTRY_BITS) == bits) return entry;
    index = (index + 1) & mask;
  }
}

/** The entry {bits, plain text, Go's text} of a double, or 0. */
export function lookUpNumberText(table: usize, bits: u64): usize {
  const entries = pointer(table, 0);
  if (!entries) return 0;
  const mask = pointer(table, 4);
  let index = hashDouble(bits) & mask;
  while (true) {
    const entry = entries + index * NUMBER_TEXT_SIZE;
    if ((load<u32>(entry, NUMBER_TEXT_PLAIN) | load<u32>(entry, NUMBER_TEXT_GO)) == 0) return 0;
    if (load<u64>(entry, NUMBER_TEXT_BITS) == bits) return entry;
    index = (index + 1) & mask;
  }
}

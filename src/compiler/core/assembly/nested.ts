// Lists and objects as texts, `[a b]` and `map[k:v]` with keys in byte order, for the rules that compare with such a text.
//
// The alert's author chooses the value, so the work is bounded by the rule's text: rendering stops as soon as the result is
// longer than the longest text that any rule compares this key with, or nested deeper, or holds a number that stands in none
// of them. No number is ever printed here: the table of number texts has, for each double that occurs in such a text, its two
// spellings.

import {
  HEADER_NUMBER_TEXTS,
  HEADER_RENDERED,
  HEADER_RENDER_ENTRIES,
  NUMBER_TEXT_GO,
  NUMBER_TEXT_PLAIN,
  RENDER_ENTRY_KEY,
  RENDER_ENTRY_LENGTH,
  RENDER_ENTRY_SIZE,
  RENDER_ENTRY_VALUE,
  SEGMENT_AT,
  SLOT_NESTED_DEPTH,
  SLOT_NESTED_LENGTH,
  SLOT_RAW,
  SLOT_VALUES,
} from '../layout';
import { header, pointer } from './header';
import { lookUpNumberText, lookUpText } from './lookup';
import { nearestDouble, numeral, readNumber } from './numbers';
import { scan, skipSpace, skipValue } from './scanner';
import { readString } from './strings';

namespace rendering {
  /** Where the next byte of the text goes, and where the text gets too long. */
  export let to: usize = 0;
  export let end: usize = 0;
  /** Next free entry for a key of an object, and the first that there is no room for. */
  export let entry: usize = 0;
  export let entriesEnd: usize = 0;
  /** Whether numbers are written in Go's form. */
  export let go: bool = false;
}

const NIL: u64 = 0x3e6c696e3c; // <nil>
const MAP: u64 = 0x5b70616d; // map[

/** The fact that a slot's list or object states with its numbers in one form, or 0. The value was found to be valid JSON. */
export function nestedFact(slot: usize, go: bool): usize {
  const start = header(HEADER_RENDERED);
  const longest = pointer(slot, SLOT_NESTED_LENGTH);
  rendering.to = start;
  rendering.end = start + longest;
  rendering.entry = header(HEADER_RENDER_ENTRIES);
  // Each key of an object takes at least two bytes of the text, its colon and a separator or the closing bracket.
  rendering.entriesEnd = rendering.entry + (longest / 2) * RENDER_ENTRY_SIZE;
  rendering.go = go;
  const decoded = scan.decoded;
  const done = render(pointer(slot, SLOT_RAW), load<u32>(slot, SLOT_NESTED_DEPTH));
  scan.decoded = decoded;
  return done ? lookUpText(slot + SLOT_VALUES, start, rendering.to - start) : 0;
}

function put(text: usize, length: usize): bool {
  if (rendering.end - rendering.to < length) return false;
  memory.copy(rendering.to, text, length);
  rendering.to += length;
  return true;
}

/** Appends up to eight bytes, the first one lowest. */
function putWord(bytes: u64, length: usize): bool {
  if (rendering.end - rendering.to < length) return false;
  store<u64>(rendering.to, bytes);
  rendering.to += length;
  return true;
}

/** Renders a value; returns the address after it, or 0 when the text cannot be one that a rule has. */
function render(at: usize, depth: u32): usize {
  const c = <u32>load<u8>(at);
  switch (c) {
    case 0x22:
      return renderString(at);
    case 0x5b:
      return depth == 0 ? 0 : renderList(at, depth - 1);
    case 0x7b:
      return depth == 0 ? 0 : renderObject(at, depth - 1);
    case 0x74:
      return put(at, 4) ? at + 4 : 0;
    case 0x66:
      return put(at, 5) ? at + 5 : 0;
    case 0x6e:
      return putWord(NIL, 5) ? at + 4 : 0;
  }
  return renderNumber(at);
}

function renderString(at: usize): usize {
  const decoded = scan.decoded;
  const next = readString(at + 1);
  const fits = put(scan.text, scan.textLength);
  scan.decoded = decoded;
  return fits ? next : 0;
}

function renderNumber(at: usize): usize {
  const next = readNumber(at);
  const integer = numeral.integer;
  const short = next - at <= 6;
  if (integer && (short || !rendering.go)) return put(at, next - at) ? next : 0;
  const double = nearestDouble(at);
  if (!isFinite(double)) return put(at, next - at) ? next : 0;
  const entry = lookUpNumberText(SEGMENT_AT + HEADER_NUMBER_TEXTS, reinterpret<u64>(double));
  if (!entry) return 0;
  const text = entry + (rendering.go ? NUMBER_TEXT_GO : NUMBER_TEXT_PLAIN);
  return pointer(text, 0) && put(pointer(text, 0), pointer(text, 4)) ? next : 0;
}

function renderList(at: usize, depth: u32): usize {
  if (!putWord(0x5b, 1)) return 0;
  at = skipSpace(at + 1);
  if (load<u8>(at) != 0x5d)
    while (true) {
      at = render(at, depth);
      if (!at) return 0;
      at = skipSpace(at);
      if (load<u8>(at) == 0x5d) break;
      if (!putWord(0x20, 1)) return 0;
      at = skipSpace(at + 1);
    }
  return putWord(0x5d, 1) ? at + 1 : 0;
}

function renderObject(at: usize, depth: u32): usize {
  const first = rendering.entry;
  const decoded = scan.decoded;
  at = collectEntries(at);
  if (!at || !putWord(MAP, 4)) return 0;
  const end = rendering.entry;
  for (let entry = first; entry < end; entry += RENDER_ENTRY_SIZE) {
    if (entry != first && !putWord(0x20, 1)) return 0;
    if (!put(pointer(entry, RENDER_ENTRY_KEY), pointer(entry, RENDER_ENTRY_LENGTH)) || !putWord(0x3a, 1)) return 0;
    if (!render(pointer(entry, RENDER_ENTRY_VALUE), depth)) return 0;
  }
  rendering.entry = first;
  scan.decoded = decoded;
  return putWord(0x5d, 1) ? at : 0;
}

/** Sorts the keys of an object into entries, the last of equal keys winning. */
function collectEntries(at: usize): usize {
  const first = rendering.entry;
  at = skipSpace(at + 1);
  if (load<u8>(at) == 0x7d) return at + 1;
  while (true) {
    const decoded = scan.decoded;
    at = readString(at + 1);
    at = skipSpace(skipSpace(at) + 1); // over the colon
    if (scan.textLength > rendering.end - rendering.to) return 0;
    const entry = placeForKey(first);
    if (entry == 0) return 0;
    if (pointer(entry, RENDER_ENTRY_VALUE)) scan.decoded = decoded;
    store<u32>(entry, <u32>at, RENDER_ENTRY_VALUE);
    at = skipSpace(skipValue(at, 0));
    if (load<u8>(at) == 0x7d) return at + 1;
    at = skipSpace(at + 1);
  }
}

/** The entry of the key in `scan.text`: the one it has, or a new one in its place with no value; 0 when there are too many. */
function placeForKey(first: usize): usize {
  let low: usize = 0;
  let high: usize = (rendering.entry - first) / RENDER_ENTRY_SIZE;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = first + middle * RENDER_ENTRY_SIZE;
    const order = compareKeys(entry);
    if (order == 0) return entry;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  if (rendering.entry == rendering.entriesEnd) return 0;
  const place = first + low * RENDER_ENTRY_SIZE;
  memory.copy(place + RENDER_ENTRY_SIZE, place, rendering.entry - place);
  rendering.entry += RENDER_ENTRY_SIZE;
  store<u32>(place, <u32>scan.text, RENDER_ENTRY_KEY);
  store<u32>(place, <u32>scan.textLength, RENDER_ENTRY_LENGTH);
  store<u32>(place, 0, RENDER_ENTRY_VALUE);
  return place;
}

/** Sign of the key in `scan.text` minus the key of an entry, by bytes. */
function compareKeys(entry: usize): i32 {
  const length = pointer(entry, RENDER_ENTRY_LENGTH);
  const order = memory.compare(scan.text, pointer(entry, RENDER_ENTRY_KEY), min(scan.textLength, length));
  return order != 0 ? order : <i32>scan.textLength - <i32>length;
}

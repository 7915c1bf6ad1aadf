// An alert, read in one pass over its bytes. As Falco Talon reads it: keys at the top in any ASCII case, the last of equal keys
// wins, null for a text changes nothing, two `output_fields` are merged, what follows the first value is ignored.

import {
  HEADER_DEFAULT_SOURCE,
  HEADER_HOSTNAME_SLOT,
  HEADER_KEYS,
  HEADER_PRESENT,
  HEADER_PRIORITY_SLOT,
  HEADER_RULE_SLOT,
  HEADER_SOURCE_SLOT,
  HEADER_TAGS,
  FACT_STAMP,
  PLACES_AT,
  SEGMENT_AT,
  SLOT_RAW,
  SLOT_TEXT,
  SLOT_TEXT_LENGTH,
} from '../layout';
import { header, pointer } from './header';
import {
  KEY_CONTEXT,
  KEY_HOSTNAME,
  KEY_OTHER,
  KEY_OUTPUT,
  KEY_OUTPUT_FIELDS,
  KEY_PRIORITY,
  KEY_RULE,
  KEY_SOURCE,
  KEY_TAGS,
  KEY_TIME,
  topKey,
} from './keys';
import { lookUpText } from './lookup';
import { isTime } from './rfc3339';
import {
  ERROR_EMPTY,
  ERROR_SYNTAX,
  ERROR_TYPE,
  fail,
  scan,
  skipContainer,
  skipNull,
  skipSpace,
  skipValue,
} from './scanner';
import { readString, skipString } from './strings';
import { forgetFields, readField, slots } from './slots';

export namespace event {
  export let input: usize = 0;
  /** Tags that some rule asks about, listed at HEADER_PRESENT, each once. */
  export let tags: usize = 0;
  // Where values of members begin that have no slot; 0 when the alert has none.
  export let output: usize = 0;
  export let time: usize = 0;
  export let tagList: usize = 0;
  /** The first `output_fields` that counts, and whether later ones are merged into it. */
  export let fields: usize = 0;
  export let moreFields: bool = false;
}

// Places are pairs {start, end} in the order rule, priority, source, output.
const PLACE_NONE = -1;
const PLACE_RULE = 0;
const PLACE_PRIORITY = 8;
const PLACE_SOURCE = 16;
const PLACE_OUTPUT = 24;

/** Reads the alert at `event.input`. False: `scan.error` says why not. */
export function readEvent(): bool {
  v128.store(PLACES_AT, i8x16.splat(-1));
  v128.store(PLACES_AT + 16, i8x16.splat(-1));
  forgetText(HEADER_RULE_SLOT);
  forgetText(HEADER_PRIORITY_SLOT);
  forgetText(HEADER_SOURCE_SLOT);
  forgetText(HEADER_HOSTNAME_SLOT);
  slots.touched = 0;
  event.tags = 0;
  event.output = 0;
  event.time = 0;
  event.tagList = 0;
  event.fields = 0;
  event.moreFields = false;

  let at = skipSpace(event.input);
  if (load<u8>(at) != 0x7b) return readNoObject(at);
  at = skipSpace(at + 1);
  if (load<u8>(at) == 0x7d) return true;
  while (true) {
    if (load<u8>(at) != 0x22) return noEvent(at);
    at = readString(at + 1);
    if (!at) return false;
    const key = topKey(scan.text, scan.textLength);
    at = skipSpace(at);
    if (load<u8>(at) != 0x3a) return noEvent(at);
    at = skipSpace(at + 1);
    at = key == KEY_OTHER ? skipValue(at, 1) : readMember(key, at);
    if (!at) return false;
    at = skipSpace(at);
    const c = load<u8>(at);
    if (c == 0x7d) return true;
    if (c != 0x2c) return noEvent(at);
    at = skipSpace(at + 1);
  }
}

// @ts-ignore: decorator
@inline
function forgetText(slot: i32): void {
  store<u64>(SEGMENT_AT + slot, 0, SLOT_TEXT);
  store<u32>(SEGMENT_AT + slot, 0, SLOT_RAW);
}

function noEvent(at: usize): bool {
  fail(ERROR_SYNTAX, at);
  return false;
}

/** A body that is no object: `null` is the empty alert, anything else an error. */
function readNoObject(at: usize): bool {
  if (at >= scan.end) {
    fail(ERROR_EMPTY, at);
    return false;
  }
  if (load<u8>(at) == 0x6e) return skipNull(at) != 0;
  if (skipValue(at, 0)) fail(ERROR_TYPE, at);
  return false;
}

function readMember(key: i32, at: usize): usize {
  switch (key) {
    case KEY_RULE:
      return readText(HEADER_RULE_SLOT, PLACE_RULE, at);
    case KEY_PRIORITY:
      return readText(HEADER_PRIORITY_SLOT, PLACE_PRIORITY, at);
    case KEY_SOURCE:
      return readText(HEADER_SOURCE_SLOT, PLACE_SOURCE, at);
    case KEY_HOSTNAME:
      return readText(HEADER_HOSTNAME_SLOT, PLACE_NONE, at);
    case KEY_OUTPUT:
      return readOutput(at);
    case KEY_TIME:
      return readTime(at);
    case KEY_TAGS:
      return readTags(at);
    case KEY_OUTPUT_FIELDS:
      return readFields(at);
    case KEY_CONTEXT:
      return load<u8>(at) == 0x7b ? skipContainer(at, 1) : skipNothing(at);
  }
  return load<u8>(at) == 0x22 ? skipString(at + 1) : skipNothing(at);
}

/** Null, or the error that the value is of the wrong type. */
function skipNothing(at: usize): usize {
  if (load<u8>(at) == 0x6e) return skipNull(at);
  return skipValue(at, 1) ? fail(ERROR_TYPE, at) : 0;
}

// @ts-ignore: decorator
@inline
function notePlace(place: i32, start: usize, end: usize): void {
  store<u32>(PLACES_AT + place, <u32>(start - event.input));
  store<u32>(PLACES_AT + place, <u32>(end - event.input), 4);
}

// @ts-ignore: decorator
@inline
function readText(slot: i32, place: i32, at: usize): usize {
  if (load<u8>(at) != 0x22) return skipNothing(at);
  const next = readString(at + 1);
  if (!next) return 0;
  store<u32>(SEGMENT_AT + slot, <u32>scan.text, SLOT_TEXT);
  store<u32>(SEGMENT_AT + slot, <u32>scan.textLength, SLOT_TEXT_LENGTH);
  store<u32>(SEGMENT_AT + slot, <u32>at, SLOT_RAW);
  if (place != PLACE_NONE) notePlace(place, at + 1, next - 1);
  return next;
}

function readOutput(at: usize): usize {
  if (load<u8>(at) != 0x22) return skipNothing(at);
  const next = skipString(at + 1);
  if (!next) return 0;
  event.output = at;
  notePlace(PLACE_OUTPUT, at + 1, next - 1);
  return next;
}

/** The raw text counts: a time with an escape in it is none. */
function readTime(at: usize): usize {
  if (load<u8>(at) != 0x22) return skipNothing(at);
  const next = skipString(at + 1);
  if (!next) return 0;
  event.time = at;
  return isTime(at + 1, next - 1) ? next : fail(ERROR_TYPE, at);
}

function readFields(at: usize): usize {
  if (load<u8>(at) != 0x7b) {
    const next = skipNothing(at);
    if (next) forgetFields();
    event.fields = 0;
    event.moreFields = false;
    return next;
  }
  if (event.fields) event.moreFields = true;
  else event.fields = at;
  at = skipSpace(at + 1);
  if (load<u8>(at) == 0x7d) return at + 1;
  while (true) {
    if (load<u8>(at) != 0x22) return fail(ERROR_SYNTAX, at);
    at = readString(at + 1);
    if (!at) return 0;
    const slot = lookUpText(SEGMENT_AT + HEADER_KEYS, scan.text, scan.textLength);
    at = skipSpace(at);
    if (load<u8>(at) != 0x3a) return fail(ERROR_SYNTAX, at);
    at = skipSpace(at + 1);
    at = slot ? readField(slot, at) : skipValue(at, 2);
    if (!at) return 0;
    at = skipSpace(at);
    const c = load<u8>(at);
    if (c == 0x7d) return at + 1;
    if (c != 0x2c) return fail(ERROR_SYNTAX, at);
    at = skipSpace(at + 1);
  }
}

function forgetTags(): void {
  const list = header(HEADER_PRESENT);
  for (let i: usize = 0; i < event.tags; i++) store<u32>(pointer(list + (i << 2), 0), 0, FACT_STAMP);
  event.tags = 0;
}

/** Tags are a set of strings; elements of other kinds equal nothing. */
function readTags(at: usize): usize {
  if (load<u8>(at) != 0x5b) {
    const next = skipNothing(at);
    if (next) forgetTags();
    event.tagList = 0;
    return next;
  }
  forgetTags();
  event.tagList = at;
  at = skipSpace(at + 1);
  if (load<u8>(at) == 0x5d) return at + 1;
  while (true) {
    if (load<u8>(at) == 0x22) {
      at = readString(at + 1);
      if (!at) return 0;
      noteTag(lookUpText(SEGMENT_AT + HEADER_TAGS, scan.text, scan.textLength));
    } else {
      at = skipValue(at, 2);
      if (!at) return 0;
    }
    at = skipSpace(at);
    const c = load<u8>(at);
    if (c == 0x5d) return at + 1;
    if (c != 0x2c) return fail(ERROR_SYNTAX, at);
    at = skipSpace(at + 1);
  }
}

// @ts-ignore: decorator
@inline
function noteTag(fact: usize): void {
  if (!fact || load<u32>(fact, FACT_STAMP) == slots.epoch) return;
  store<u32>(fact, slots.epoch, FACT_STAMP);
  store<u32>(header(HEADER_PRESENT) + (event.tags << 2), <u32>fact);
  event.tags++;
}

/** The source that counts, in its slot: `syscall` when the alert names none. */
export function defaultSource(): void {
  const slot: usize = SEGMENT_AT + HEADER_SOURCE_SLOT;
  if (load<u32>(slot, SLOT_TEXT_LENGTH) == 0) store<u64>(slot, load<u64>(SEGMENT_AT + HEADER_DEFAULT_SOURCE), SLOT_TEXT);
}

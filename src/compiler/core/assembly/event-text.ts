// The alert as conditions hand it to the host: a JSON string whose text is the alert, with the members and values that count.
// A string and not an object, because hosts parse arguments with what they have, and that loses the digits of large numbers.

import {
  EVENT_END,
  EVENT_FIELDS,
  EVENT_MEMBERS,
  HEADER_EVENT_JSON,
  HEADER_HOSTNAME_SLOT,
  HEADER_PRIORITY_SLOT,
  HEADER_RULE_SLOT,
  HEADER_SOURCE_SLOT,
  SEGMENT_AT,
  SLOT_RAW,
} from '../layout';
import { event } from './event';
import { pointer } from './header';
import { ensure } from './heap';
import { KEY_OUTPUT_FIELDS, topKey } from './keys';
import { ERROR_MEMORY, fail, scan, skipSpace, skipValue } from './scanner';
import { readString } from './strings';
import { slots } from './slots';

namespace eventText {
  export let at: usize = 0;
  export let start: usize = 0;
  export let length: usize = 0;
  /** The evaluation that the text belongs to. */
  export let epoch: u32 = 0;
}

/** Room for what stands between the values. */
const FRAME: usize = 512;
const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const SPACE: u8 = 0x20;

/** The next evaluation may have any number. */
export function forgetEventText(): void {
  eventText.epoch = 0;
}

export function eventTextStart(): usize {
  return eventText.start;
}

export function eventTextLength(): usize {
  return eventText.length;
}

/** Writes the text above what the scan decoded, once per evaluation. False, and an error of it, when there is no room. */
export function writeEventText(): bool {
  if (eventText.epoch == slots.epoch) return true;
  const start = scan.decoded;
  // Each byte of the alert may need a backslash before it. Above the text, keys are decoded once more.
  const length = scan.end - event.input;
  const room = (length << 1) + FRAME;
  if (!ensure(start + room + length + FRAME)) {
    fail(ERROR_MEMORY, event.input);
    return false;
  }
  scan.decoded = start + room;
  eventText.at = start;
  put(QUOTE);
  putMember(0, pointer(SEGMENT_AT + HEADER_RULE_SLOT, SLOT_RAW));
  putMember(1, pointer(SEGMENT_AT + HEADER_PRIORITY_SLOT, SLOT_RAW));
  putMember(2, pointer(SEGMENT_AT + HEADER_SOURCE_SLOT, SLOT_RAW));
  putMember(3, pointer(SEGMENT_AT + HEADER_HOSTNAME_SLOT, SLOT_RAW));
  putMember(4, event.output);
  putMember(5, event.time);
  putMember(EVENT_MEMBERS - 1, event.tagList);
  putPiece(EVENT_FIELDS);
  putFields();
  putPiece(EVENT_END);
  put(QUOTE);
  eventText.start = start;
  eventText.length = eventText.at - start;
  eventText.epoch = slots.epoch;
  scan.decoded = eventText.at;
  return true;
}

// @ts-ignore: decorator
@inline
function put(byte: u8): void {
  store<u8>(eventText.at++, byte);
}

/** Appends raw JSON as contents of a JSON string: white space between values may be a control character. */
function putEscaped(at: usize, end: usize): void {
  for (; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == QUOTE || byte == BACKSLASH) put(BACKSLASH);
    put(byte < SPACE ? SPACE : byte);
  }
}

function putPiece(index: i32): void {
  const box: usize = SEGMENT_AT + HEADER_EVENT_JSON + index * 8;
  putEscaped(pointer(box, 0), pointer(box, 0) + pointer(box, 4));
}

/** Appends a member whose value begins at `at`, or null. */
function putMember(index: i32, at: usize): void {
  putPiece(index);
  if (at) putEscaped(at, skipValue(at, 0));
  else {
    store<u32>(eventText.at, 0x6c6c756e);
    eventText.at += 4;
  }
}

/** Appends the contents of all `output_fields` one after the other: of equal keys, the last one wins for every reader. */
function putFields(): void {
  let at = event.fields;
  if (!at) return;
  let end = skipValue(at, 0);
  let any = putContents(at, end, false);
  if (!event.moreFields) return;
  while (true) {
    at = skipSpace(end);
    if (load<u8>(at) != COMMA) return;
    at = readString(skipSpace(at + 1) + 1);
    const key = topKey(scan.text, scan.textLength);
    at = skipSpace(skipSpace(at) + 1); // over the colon
    end = skipValue(at, 0);
    if (key == KEY_OUTPUT_FIELDS) any = putContents(at, end, any);
  }
}

/** Appends what stands between the braces of an object. Whether anything was appended so far. */
function putContents(at: usize, end: usize, any: bool): bool {
  at = skipSpace(at + 1);
  if (at == end - 1) return any;
  if (any) put(COMMA);
  putEscaped(at, end - 1);
  return true;
}

import type { EventError, FalcoEvent } from './falco-event.ts';
import { JsonFault, JsonReader } from './json-reader.ts';
import type { JsonValue } from './json-value.ts';
import { stripOutputPrefix } from './output-prefix.ts';
import { repairUtf8 } from './repair-utf8.ts';
import { isRfc3339 } from './rfc3339.ts';

/** What the sender wrote, before defaults. The map is ours to add to. */
interface RawEvent {
  output: string;
  priority: string;
  rule: string;
  hostname: string;
  time: string;
  source: string;
  output_fields: Map<string, JsonValue> | null;
  tags: readonly JsonValue[] | null;
}

/** A byte order mark is a fault in JSON, so it is kept. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads the body of a request as an alert. The policy module reads bodies in the same way; nothing else may. As Falco
 * Talon: only the first JSON value counts and what follows is ignored, `null` is the empty event, keys are matched without
 * regard to ASCII case, the last of equal keys wins, null for a text leaves what an earlier key said, two `output_fields`
 * are merged, and invalid UTF-8 becomes U+FFFD. A wrong type is an error wherever it stands.
 *
 * The offset of an error counts bytes of the body after the repair of its UTF-8.
 */
export function decodeEvent(bytes: Uint8Array): { ok: true; event: FalcoEvent } | EventError {
  const text = decodeText(bytes);
  try {
    return { ok: true, event: finish(readEvent(new JsonReader(text))) };
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
    return { ok: false, code: fault.code, offset: utf8Length(text, fault.index) };
  }
}

/** Only a text with U+FFFD in it can come from invalid UTF-8, which TextDecoder repairs in another way than Go. */
function decodeText(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  return text.includes('\ufffd') ? utf8.decode(repairUtf8(bytes)) : text;
}

function readEvent(reader: JsonReader): RawEvent {
  const event: RawEvent = {
    output: '',
    priority: '',
    rule: '',
    hostname: '',
    time: '',
    source: '',
    output_fields: null,
    tags: null,
  };
  const first = reader.peek();
  if (first === '') reader.fail(5);
  if (first !== '{') {
    const start = reader.index;
    if (reader.value(0) !== null) reader.fail(2, start);
    return event;
  }
  reader.expect('{');
  if (reader.accept('}')) return event;
  do {
    const key = foldKey(reader.key());
    readMember(reader, event, key);
  } while (reader.accept(','));
  reader.expect('}');
  return event;
}

/** Reads the value of one top-level key into the event. */
function readMember(reader: JsonReader, event: RawEvent, key: string): void {
  reader.peek();
  const start = reader.index;
  const value = reader.value(1);
  switch (key) {
    case 'output':
    case 'priority':
    case 'rule':
    case 'hostname':
    case 'source':
      if (typeof value === 'string') event[key] = value;
      else nothing(reader, value, start);
      break;
    case 'trace_id':
      if (typeof value !== 'string') nothing(reader, value, start);
      break;
    case 'time':
      if (typeof value === 'string') event.time = timeText(reader, start);
      else nothing(reader, value, start);
      break;
    case 'output_fields':
      event.output_fields =
        value instanceof Map ? mergeFields(event.output_fields, value) : nothing(reader, value, start);
      break;
    case 'context':
      if (!(value instanceof Map)) nothing(reader, value, start);
      break;
    case 'tags':
      event.tags = Array.isArray(value) ? value : nothing(reader, value, start);
      break;
  }
}

/** Null, or the fault that a value has the wrong type. */
function nothing(reader: JsonReader, value: JsonValue, start: number): null {
  if (value !== null) reader.fail(2, start);
  return null;
}

/** The time as spelled between its quotes: escapes are not decoded, so none is allowed. */
function timeText(reader: JsonReader, start: number): string {
  const raw = reader.text.slice(start + 1, reader.index - 1);
  if (!isRfc3339(raw)) reader.fail(2, start);
  return raw;
}

/** Adds to the earlier map instead of copying it: a hostile body may repeat the key tens of thousands of times. */
function mergeFields(earlier: Map<string, JsonValue> | null, later: Map<string, JsonValue>): Map<string, JsonValue> {
  if (earlier === null) return later;
  for (const [key, value] of later) earlier.set(key, value);
  return earlier;
}

/** Lower case as Go's JSON decoder folds the keys that it compares: ASCII letters, and the long s. */
function foldKey(key: string): string {
  return /^[a-z_]*$/.test(key)
    ? key
    : key.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replaceAll('\u017f', 's');
}

function finish(raw: RawEvent): FalcoEvent {
  return { ...raw, output: stripOutputPrefix(raw.output), source: raw.source || 'syscall' };
}

/** Bytes of UTF-8 that the first `end` UTF-16 units of a well-formed text take. */
function utf8Length(text: string, end: number): number {
  let length = 0;
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (code < 0xd800 || code > 0xdfff) length += 3;
    else length += 2; // half of a pair, which takes four
  }
  return length;
}

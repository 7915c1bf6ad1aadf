// Answers of `opa_eval`: the text `[{"result":VALUE}]`, or for format 1 (Rego) the set `{{"result":VALUE}}`.

import {
  ENTRYPOINT_PLAN,
  HEADER_ERROR_OFFSET,
  HEADER_ERROR_OPEN,
  HEADER_MATCHED,
  HEADER_PLAN_CLOSE,
  HEADER_PLAN_OPEN,
  HEADER_RESULT_CLOSE,
  HEADER_RESULT_OPEN,
  HEADER_RULE_TEXTS,
  RULE_TEXT_HEAD,
  RULE_TEXT_HEAD_LENGTH,
  RULE_TEXT_NAME_LENGTH,
  RULE_TEXT_NAME_OFFSET,
  RULE_TEXT_SIZE,
  RULE_TEXT_TAIL,
  RULE_TEXT_TAIL_LENGTH,
  SEGMENT_AT,
} from '../layout';
import { event } from './event';
import { header, pointer } from './header';
import { ensure, heap } from './heap';
import { ERROR_MEMORY, scan } from './scanner';

namespace writer {
  export let at: usize = 0;
}

const LONG_TEXT: usize = 512;
const COMMA: u8 = 0x2c;
const OPENING_BRACKET: u8 = 0x5b;
const CLOSING_BRACKET: u8 = 0x5d;
const CLOSING_BRACE: u8 = 0x7d;
/** Room for everything but the texts of the rules and the opening of a plan, which holds the revision. */
const FRAME: usize = 256;

/** Writes the answer above all that the evaluation used, with a NUL after it; returns where it begins. */
export function writeResult(count: i32, entrypoint: i32, format: i32): usize {
  const start = (scan.decoded + 63) & ~15;
  if (count >= 0 && !ensure(start + resultSize(count, entrypoint))) {
    scan.error = ERROR_MEMORY;
    scan.errorAt = event.input;
    count = -ERROR_MEMORY;
  }
  if (count < 0 && !ensure(start + FRAME)) unreachable();
  writer.at = start;
  const rego = format == 0 ? 0 : 8;
  putBox(HEADER_RESULT_OPEN + rego);
  if (count < 0) putError(-count);
  else if (entrypoint == ENTRYPOINT_PLAN) putPlan(count);
  else putNames(count);
  putBox(HEADER_RESULT_CLOSE + rego);
  store<u8>(writer.at, 0);
  scan.decoded = writer.at + 1;
  heap.next = (writer.at + 16) & ~7;
  return start;
}

function ruleText(position: i32): usize {
  const index = pointer(header(HEADER_MATCHED) + (<usize>position << 2), 0);
  return header(HEADER_RULE_TEXTS) + index * RULE_TEXT_SIZE;
}

function resultSize(count: i32, entrypoint: i32): usize {
  let size = FRAME + pointer(SEGMENT_AT + HEADER_PLAN_OPEN, 4);
  for (let i = 0; i < count; i++) {
    const text = ruleText(i);
    size +=
      entrypoint == ENTRYPOINT_PLAN
        ? pointer(text, RULE_TEXT_HEAD_LENGTH) + pointer(text, RULE_TEXT_TAIL_LENGTH) + 1
        : pointer(text, RULE_TEXT_NAME_LENGTH) + 1;
  }
  return size;
}

function putByte(byte: u8): void {
  store<u8>(writer.at++, byte);
}

/** Appends a text of the header. */
function putBox(offset: i32): void {
  putText(pointer(SEGMENT_AT + offset, 0), pointer(SEGMENT_AT + offset, 4));
}

/** Sixteen bytes at a time, because the texts are short and a copy by the engine is a call. FRAME has room for what is too much. */
function putText(text: usize, length: usize): void {
  const at = writer.at;
  writer.at = at + length;
  if (length > LONG_TEXT) {
    memory.copy(at, text, length);
    return;
  }
  for (let done: usize = 0; done < length; done += 16) v128.store(at + done, v128.load(text + done));
}

function putNumber(number: u32): void {
  let digits: usize = 1;
  for (let rest = number; rest >= 10; rest /= 10) digits++;
  let at = writer.at + digits;
  writer.at = at;
  do {
    store<u8>(--at, <u8>(0x30 + (number % 10)));
    number /= 10;
  } while (number);
}

/** `{"error":N,"offset":B}` */
function putError(code: u32): void {
  putBox(HEADER_ERROR_OPEN);
  putNumber(code);
  putBox(HEADER_ERROR_OFFSET);
  putNumber(<u32>(scan.errorAt - event.input));
  putByte(CLOSING_BRACE);
}

/** `{"revision":...,"rules":[...]}` */
function putPlan(count: i32): void {
  putBox(HEADER_PLAN_OPEN);
  for (let i = 0; i < count; i++) {
    if (i) putByte(COMMA);
    const text = ruleText(i);
    putText(pointer(text, RULE_TEXT_HEAD), pointer(text, RULE_TEXT_HEAD_LENGTH));
    putText(pointer(text, RULE_TEXT_TAIL), pointer(text, RULE_TEXT_TAIL_LENGTH));
  }
  putBox(HEADER_PLAN_CLOSE);
}

/** `["name",...]` */
function putNames(count: i32): void {
  putByte(OPENING_BRACKET);
  for (let i = 0; i < count; i++) {
    if (i) putByte(COMMA);
    const text = ruleText(i);
    putText(pointer(text, RULE_TEXT_HEAD) + RULE_TEXT_NAME_OFFSET, pointer(text, RULE_TEXT_NAME_LENGTH));
  }
  putByte(CLOSING_BRACKET);
}

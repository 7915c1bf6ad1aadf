// OPA's WebAssembly ABI, version 1.3, as far as hosts call it. A value is a box around JSON text: it is validated when it
// is parsed, and copied when it is dumped.

import {
  ENTRYPOINT_MATCH,
  ENTRYPOINT_PLAN,
  HEADER_BUILTINS,
  HEADER_ENTRYPOINTS,
  SEGMENT_AT,
} from '../layout';
import { event } from './event';
import { pointer } from './header';
import { allocate, box, ensure, heap, heapPointer } from './heap';
import { evaluate } from './match';
import { writeResult } from './result';
import { ERROR_EMPTY, ERROR_ENTRYPOINT, scan, skipSpace, skipValue } from './scanner';

export const opa_wasm_abi_version: i32 = 1;
export const opa_wasm_abi_minor_version: i32 = 3;

/** OPA_ERR_INTERNAL: a policy of ours has no base document that a path could patch. */
const NO_DATA: i32 = 1;

export function opa_malloc(size: usize): usize {
  return allocate(size);
}
export function opa_free(_address: usize): void {}
export function opa_value_free(_value: usize): void {}
export function opa_heap_ptr_get(): usize {
  return heapPointer();
}
export function opa_heap_ptr_set(address: usize): void {
  heap.next = address;
}
export function opa_heap_blocks_stash(): void {}
export function opa_heap_blocks_restore(): void {}
export function opa_heap_stash_clear(): void {}

/** Box of a JSON text, or 0 when it is none. The text must stay where it is. */
export function opa_json_parse(text: usize, length: usize): usize {
  const end = text + length;
  if (!ensure(end + 64)) return 0;
  const after = load<u8>(end);
  store<u8>(end, 0); // ends the scan
  scan.error = 0;
  scan.end = end;
  let at = skipValue(skipSpace(text), 0);
  if (at) at = skipSpace(at);
  store<u8>(end, after);
  return at == end ? box(text, length) : 0;
}
export function opa_value_parse(text: usize, length: usize): usize {
  return opa_json_parse(text, length);
}
/** Text of a value with a NUL after it. */
export function opa_json_dump(value: usize): usize {
  const length = pointer(value, 4);
  const copy = allocate(length + 1);
  memory.copy(copy, pointer(value, 0), length);
  store<u8>(copy + length, 0);
  return copy;
}
export function opa_value_dump(value: usize): usize {
  return opa_json_dump(value);
}
export function opa_value_add_path(_base: usize, _path: usize, _value: usize): i32 {
  return NO_DATA;
}
export function opa_value_remove_path(_base: usize, _path: usize): i32 {
  return NO_DATA;
}
export function builtins(): usize {
  return SEGMENT_AT + HEADER_BUILTINS;
}
export function entrypoints(): usize {
  return SEGMENT_AT + HEADER_ENTRYPOINTS;
}

/** Everything from `heapPointer` up is ours. Format 0 is JSON, 1 Rego. */
export function opa_eval(
  _reserved: usize,
  entrypoint: i32,
  _data: usize,
  input: usize,
  length: usize,
  heapPointer: usize,
  format: i32,
): usize {
  heap.next = heapPointer;
  return answer(entrypoint, input, length, format);
}

function answer(entrypoint: i32, input: usize, length: usize, format: i32): usize {
  if (entrypoint != ENTRYPOINT_PLAN && entrypoint != ENTRYPOINT_MATCH) return refuse(ERROR_ENTRYPOINT, format);
  if (length == 0) return refuse(ERROR_EMPTY, format);
  return writeResult(evaluate(input, length), entrypoint, format);
}

/** Answers with an error that no byte of the input is to blame for. */
function refuse(code: i32, format: i32): usize {
  scan.decoded = heapPointer();
  scan.errorAt = event.input = 0;
  return writeResult(-code, ENTRYPOINT_PLAN, format);
}

// The step by step evaluation that hosts of ABI 1.1 and older use. A context is {input, data, entrypoint, result}.

const CONTEXT_SIZE: usize = 16;
const CONTEXT_DATA = 4;
const CONTEXT_ENTRYPOINT = 8;
const CONTEXT_RESULT = 12;

export function opa_eval_ctx_new(): usize {
  const context = allocate(CONTEXT_SIZE);
  memory.fill(context, 0, CONTEXT_SIZE);
  return context;
}
export function opa_eval_ctx_set_input(context: usize, value: usize): void {
  store<u32>(context, <u32>value);
}
export function opa_eval_ctx_set_data(context: usize, value: usize): void {
  store<u32>(context, <u32>value, CONTEXT_DATA);
}
export function opa_eval_ctx_set_entrypoint(context: usize, entrypoint: i32): void {
  store<u32>(context, entrypoint, CONTEXT_ENTRYPOINT);
}
export function opa_eval_ctx_get_result(context: usize): usize {
  return pointer(context, CONTEXT_RESULT);
}
export function eval(context: usize): i32 {
  const value = pointer(context, 0);
  const length = value ? pointer(value, 4) : 0;
  // The scan writes a NUL after the text and decodes strings above it, so it gets a copy on top of the heap.
  const input = allocate(length);
  if (length) memory.copy(input, pointer(value, 0), length);
  const result = answer(load<u32>(context, CONTEXT_ENTRYPOINT), input, length, 0);
  store<u32>(context, <u32>box(result, scan.decoded - 1 - result), CONTEXT_RESULT);
  return 0;
}

// JSON (RFC 8259), read where it lies. A NUL byte after the input ends every loop, since no rule of the grammar takes one.
// Functions take the address where something begins and return the address after it, or 0 after noting an error.

import { MAX_DEPTH, OPEN_CONTAINERS_AT } from '../layout';
import { skipNumber } from './numbers';
import { skipString } from './strings';

export const ERROR_SYNTAX: i32 = 1;
export const ERROR_TYPE: i32 = 2;
export const ERROR_DEPTH: i32 = 3;
export const ERROR_MEMORY: i32 = 4;
export const ERROR_EMPTY: i32 = 5;
export const ERROR_ENTRYPOINT: i32 = 6;

export namespace scan {
  /** First byte after the input. */
  export let end: usize = 0;
  export let error: i32 = 0;
  export let errorAt: usize = 0;
  /** Next free byte for decoded strings, above the input. All of them together are no longer than the input. */
  export let decoded: usize = 0;
  /** The string that was read last, without quotes and escapes. */
  export let text: usize = 0;
  export let textLength: usize = 0;
}

const WORD_TRUE: u32 = 0x65757274;
const WORD_ALSE: u32 = 0x65736c61;
const WORD_NULL: u32 = 0x6c6c756e;

const QUOTE: u32 = 0x22;

/** Notes the first error. */
export function fail(code: i32, at: usize): usize {
  if (scan.error == 0) {
    scan.error = code;
    scan.errorAt = at;
  }
  return 0;
}

/** Alerts are mostly written without white space: one comparison, and the rest out of the way. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  return <u32>load<u8>(at) > 0x20 ? at : skipSpaces(at);
}

function skipSpaces(at: usize): usize {
  let c = <u32>load<u8>(at);
  while (c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09) c = load<u8>(++at);
  return at;
}

// @ts-ignore: decorator
@inline
export function skipTrue(at: usize): usize {
  return load<u32>(at) == WORD_TRUE ? at + 4 : fail(ERROR_SYNTAX, at);
}

// @ts-ignore: decorator
@inline
export function skipFalse(at: usize): usize {
  return load<u32>(at + 1) == WORD_ALSE ? at + 5 : fail(ERROR_SYNTAX, at);
}

// @ts-ignore: decorator
@inline
export function skipNull(at: usize): usize {
  return load<u32>(at) == WORD_NULL ? at + 4 : fail(ERROR_SYNTAX, at);
}

/**
 * Checks a value of any kind.
 * @param depth containers that are open around it
 */
// @ts-ignore: decorator
@inline
export function skipValue(at: usize, depth: i32): usize {
  const c = <u32>load<u8>(at);
  if (c == QUOTE) return skipString(at + 1);
  if (c == 0x7b || c == 0x5b) return skipContainer(at, depth);
  return skipWord(at, c);
}

function skipWord(at: usize, first: u32): usize {
  if (first == 0x74) return skipTrue(at);
  if (first == 0x66) return skipFalse(at);
  if (first == 0x6e) return skipNull(at);
  return skipNumber(at);
}

/** Whether the innermost of `open` containers is an object. */
// @ts-ignore: decorator
@inline
function isObject(open: i32): bool {
  const level = open - 1;
  return ((load<u8>(OPEN_CONTAINERS_AT + (level >> 3)) >> <u8>(level & 7)) & 1) != 0;
}

// @ts-ignore: decorator
@inline
function noteContainer(level: i32, object: bool): void {
  const at: usize = OPEN_CONTAINERS_AT + (level >> 3);
  const bit: u8 = 1 << <u8>(level & 7);
  store<u8>(at, object ? load<u8>(at) | bit : load<u8>(at) & ~bit);
}

/** Checks a key and its colon; returns where the value begins. */
function skipKey(at: usize): usize {
  if (load<u8>(at) != QUOTE) return fail(ERROR_SYNTAX, at);
  at = skipString(at + 1);
  if (!at) return 0;
  at = skipSpace(at);
  if (load<u8>(at) != 0x3a) return fail(ERROR_SYNTAX, at);
  return skipSpace(at + 1);
}

/** Checks an object or a list. Its nesting lives in a bit stack, so depth never touches the stack of the machine. */
export function skipContainer(at: usize, depth: i32): usize {
  let open: i32 = 0;
  while (true) {
    const c = <u32>load<u8>(at);
    if (c == 0x7b || c == 0x5b) {
      if (depth + open >= MAX_DEPTH) return fail(ERROR_DEPTH, at);
      const object = c == 0x7b;
      noteContainer(open, object);
      open++;
      at = skipSpace(at + 1);
      if (load<u8>(at) != (object ? 0x7d : 0x5d)) {
        if (object) {
          at = skipKey(at);
          if (!at) return 0;
        }
        continue;
      }
      open--;
      at++;
      if (open == 0) return at;
    } else {
      at = c == QUOTE ? skipString(at + 1) : skipWord(at, c);
      if (!at) return 0;
    }
    // After a value: close what ends here, or go on to the next value.
    while (true) {
      at = skipSpace(at);
      const next = <u32>load<u8>(at);
      const object = isObject(open);
      if (next == 0x2c) {
        at = skipSpace(at + 1);
        if (object) {
          at = skipKey(at);
          if (!at) return 0;
        }
        break;
      }
      if (next != (object ? 0x7d : 0x5d)) return fail(ERROR_SYNTAX, at);
      at++;
      if (--open == 0) return at;
    }
  }
}

// JSON (RFC 8259), read where it lies. A NUL byte after the input ends every loop, since no rule of the grammar takes one.
// Functions take the address where something begins and return the address after it, or 0 after noting an error.

import { MAX_DEPTH, OPEN_CONTAINERS_AT } from '../layout';
import { skipNumber } from './numbers';

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
const BACKSLASH: u32 = 0x5c;

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

/**
 * Bit n is set when byte n of the sixteen is a quote, a backslash or a control character. With 0x82 flipped, the quote and
 * the control characters are the 33 lowest numbers of a signed byte.
 */
// @ts-ignore: decorator
@inline
function specials(bytes: v128): i32 {
  return i8x16.bitmask(
    v128.or(
      i8x16.lt_s(v128.xor(bytes, i8x16.splat(-126)), i8x16.splat(-95)),
      i8x16.eq(bytes, i8x16.splat(0x5c)),
    ),
  );
}

// @ts-ignore: decorator
@inline
function findSpecial(at: usize): usize {
  const mask = specials(v128.load(at));
  return mask ? at + ctz(mask) : findFartherSpecial(at);
}

/** Most strings of an alert are short. An engine checks its stack at the head of each loop, so theirs is spared one. */
function findFartherSpecial(at: usize): usize {
  let mask: i32;
  do {
    at += 16;
    mask = specials(v128.load(at));
  } while (mask == 0);
  return at + ctz(mask);
}

/** Reads a string into `scan.text`; `at` is after the opening quote. */
// @ts-ignore: decorator
@inline
export function readString(at: usize): usize {
  const stop = findSpecial(at);
  if (load<u8>(stop) != QUOTE) return readEscaped(at);
  scan.text = at;
  scan.textLength = stop - at;
  return stop + 1;
}

/** Checks a string without decoding it; `at` is after the opening quote. */
// @ts-ignore: decorator
@inline
export function skipString(at: usize): usize {
  const stop = findSpecial(at);
  return load<u8>(stop) == QUOTE ? stop + 1 : skipEscaped(stop);
}

function skipEscaped(at: usize): usize {
  while (true) {
    const c = <u32>load<u8>(at);
    if (c == QUOTE) return at + 1;
    if (c != BACKSLASH) return fail(ERROR_SYNTAX, at);
    const letter = <u32>load<u8>(at + 1);
    if (letter == 0x75) {
      if (hexUnit(at + 2) < 0) return fail(ERROR_SYNTAX, at + 2);
      at += 6;
    } else {
      if (plainEscape(letter) == 0) return fail(ERROR_SYNTAX, at + 1);
      at += 2;
    }
    at = findSpecial(at);
  }
}

/** The character that a backslash and this letter stand for, or 0. */
function plainEscape(letter: u32): u32 {
  switch (letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
  }
  return 0;
}

/** Four hexadecimal digits, or -1. */
function hexUnit(at: usize): i32 {
  let unit: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    let c = <i32>load<u8>(at + i);
    if (c >= 0x30 && c <= 0x39) c -= 0x30;
    else {
      c |= 0x20;
      if (c < 0x61 || c > 0x66) return -1;
      c -= 0x57;
    }
    unit = (unit << 4) | c;
  }
  return unit;
}

/** Reads a string that needs decoding, into the room above the input. */
function readEscaped(at: usize): usize {
  const decoded = scan.decoded;
  let to = decoded;
  while (true) {
    const c = <u32>load<u8>(at);
    if (c == QUOTE) {
      scan.text = decoded;
      scan.textLength = to - decoded;
      scan.decoded = to;
      return at + 1;
    }
    if (c < 0x20) return fail(ERROR_SYNTAX, at);
    if (c != BACKSLASH) {
      // A plain run, sixteen bytes at a time: what is copied too much is overwritten by what follows.
      const bytes = v128.load(at);
      const mask = specials(bytes);
      const length = mask ? <usize>ctz(mask) : 16;
      v128.store(to, bytes);
      at += length;
      to += length;
      continue;
    }
    const letter = <u32>load<u8>(at + 1);
    if (letter == 0x75) {
      const unit = hexUnit(at + 2);
      if (unit < 0) return fail(ERROR_SYNTAX, at + 2);
      at += 6;
      let point = <u32>unit;
      if (unit >= 0xd800 && unit < 0xe000) {
        point = 0xfffd; // a lone surrogate
        if (unit < 0xdc00 && load<u16>(at) == 0x755c) {
          const low = hexUnit(at + 2);
          if (low < 0) return fail(ERROR_SYNTAX, at + 2);
          if (low >= 0xdc00 && low < 0xe000) {
            point = <u32>(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            at += 6;
          }
        }
      }
      to = writePoint(to, point);
    } else {
      const character = plainEscape(letter);
      if (character == 0) return fail(ERROR_SYNTAX, at + 1);
      store<u8>(to++, <u8>character);
      at += 2;
    }
  }
}

/** Writes a code point as UTF-8. */
function writePoint(to: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(to, <u8>point);
    return to + 1;
  }
  if (point < 0x800) {
    store<u8>(to, <u8>(0xc0 | (point >> 6)));
    store<u8>(to + 1, <u8>(0x80 | (point & 63)));
    return to + 2;
  }
  if (point < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (point >> 12)));
    store<u8>(to + 1, <u8>(0x80 | ((point >> 6) & 63)));
    store<u8>(to + 2, <u8>(0x80 | (point & 63)));
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (point >> 18)));
  store<u8>(to + 1, <u8>(0x80 | ((point >> 12) & 63)));
  store<u8>(to + 2, <u8>(0x80 | ((point >> 6) & 63)));
  store<u8>(to + 3, <u8>(0x80 | (point & 63)));
  return to + 4;
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

// Strings of JSON. `scan.text` and `scan.textLength` tell the one that was read last.

import { ERROR_SYNTAX, fail, scan } from './scanner';

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

namespace escape {
  /** The code point that the last escape stands for. */
  export let point: u32 = 0;
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
    at = readEscape(at + 1);
    if (!at) return 0;
    to = writePoint(to, escape.point);
  }
}

/** Reads an escape into `escape.point`; `at` is after the backslash. Half of a surrogate pair is U+FFFD. */
function readEscape(at: usize): usize {
  const letter = <u32>load<u8>(at);
  if (letter != 0x75) {
    escape.point = plainEscape(letter);
    return escape.point ? at + 1 : fail(ERROR_SYNTAX, at);
  }
  const unit = hexUnit(at + 1);
  if (unit < 0) return fail(ERROR_SYNTAX, at + 1);
  at += 5;
  escape.point = unit < 0xd800 || unit > 0xdfff ? unit : 0xfffd;
  if (unit < 0xd800 || unit > 0xdbff || load<u16>(at) != 0x755c) return at;
  const low = hexUnit(at + 2);
  if (low < 0) return fail(ERROR_SYNTAX, at + 2);
  if (low < 0xdc00 || low > 0xdfff) return at;
  escape.point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  return at + 6;
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

// Numbers of JSON: their grammar, and the nearest double.

import { slowDouble } from './double';
import { ERROR_SYNTAX, fail } from './scanner';

/** The number that was read last: sign, up to 19 digits and a power of ten. */
export namespace numeral {
  export let negative: bool = false;
  export let digits: u64 = 0;
  export let exponent: i32 = 0;
  /** Digits were left out of `digits`; some of them may not be 0. */
  export let cut: bool = false;
  /** Spelled without fraction and exponent. */
  export let integer: bool = false;
}

const MOST_DIGITS: i32 = 19;
/** Larger exponents of the text count as this one: far beyond what a double can hold, and no overflow in sums. */
const LARGEST_EXPONENT: i32 = 100000000;
const EXACT_DIGITS: u64 = 9007199254740992; // 2^53
export const EXACT_POWER: i32 = 22; // 10^22 is the last power of ten that a double holds exactly

// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 0x30 <= 9;
}

/** The first byte that is no digit, from `at` on: sixteen bytes at a time. */
// @ts-ignore: decorator
@inline
function skipDigits(at: usize): usize {
  while (true) {
    const fromZero = i8x16.sub(v128.load(at), i8x16.splat(0x30));
    const others = i8x16.bitmask(i8x16.gt_u(fromZero, i8x16.splat(9)));
    if (others) return at + ctz(others);
    at += 16;
  }
}

/** Checks the grammar without working out what the number is. */
// @ts-ignore: decorator
@inline
export function skipNumber(at: usize): usize {
  if (load<u8>(at) == 0x2d) at++;
  let end = skipDigits(at);
  // No digit, or a zero before other digits.
  if (end == at || (load<u8>(at) == 0x30 && end != at + 1)) return fail(ERROR_SYNTAX, end == at ? at : at + 1);
  let c = <u32>load<u8>(end);
  if (c != 0x2e && (c | 0x20) != 0x65) return end;
  if (c == 0x2e) {
    at = end + 1;
    end = skipDigits(at);
    if (end == at) return fail(ERROR_SYNTAX, at);
    c = load<u8>(end);
  }
  if ((c | 0x20) == 0x65) {
    at = end + 1;
    c = load<u8>(at);
    if (c == 0x2d || c == 0x2b) at++;
    end = skipDigits(at);
    if (end == at) return fail(ERROR_SYNTAX, at);
  }
  return end;
}

/** Checks the grammar and notes the number in `numeral`. */
export function readNumber(at: usize): usize {
  const end = skipNumber(at);
  if (end) note(at, end);
  return end;
}

function note(at: usize, end: usize): void {
  let digits: u64 = 0;
  let count: i32 = 0;
  let exponent: i32 = 0;
  let cut = false;
  let fraction = false;
  const negative = load<u8>(at) == 0x2d;
  if (negative) at++;
  for (; at < end; at++) {
    const c = <u32>load<u8>(at);
    if (c == 0x2e) fraction = true;
    else if (!isDigit(c)) break;
    else if (count == MOST_DIGITS) {
      cut = true;
      if (!fraction) exponent++;
    } else {
      digits = digits * 10 + (c - 0x30);
      if (digits) count++;
      if (fraction) exponent--;
    }
  }
  if (at < end) exponent += writtenExponent(at + 1);
  numeral.negative = negative;
  numeral.digits = digits;
  numeral.exponent = exponent;
  numeral.cut = cut;
  numeral.integer = !fraction && at == end;
}

/** The exponent whose sign or first digit is at `at`. */
export function writtenExponent(at: usize): i32 {
  let c = <u32>load<u8>(at);
  const down = c == 0x2d;
  if (down || c == 0x2b) c = load<u8>(++at);
  let exponent = 0;
  while (isDigit(c)) {
    if (exponent < LARGEST_EXPONENT) exponent = exponent * 10 + (c - 0x30);
    c = load<u8>(++at);
  }
  return down ? -exponent : exponent;
}

/** Whether {@link quickDouble} may be used on `numeral`. Nearly all numbers of alerts are of this kind. */
// @ts-ignore: decorator
@inline
export function isQuick(): bool {
  const exponent = numeral.exponent;
  return !numeral.cut && (exponent == 0 || (numeral.digits < EXACT_DIGITS && exponent >= -EXACT_POWER && exponent <= EXACT_POWER));
}

/** The nearest double, where a single correctly rounded operation gives it. */
// @ts-ignore: decorator
@inline
export function quickDouble(): f64 {
  let double = <f64>numeral.digits;
  const exponent = numeral.exponent;
  if (exponent < 0) double /= powerOfTen(-exponent);
  else if (exponent > 0) double *= powerOfTen(exponent);
  return numeral.negative ? -double : double;
}

/** The nearest double to the number that was read last, at `at`; infinite when it is out of range. */
export function nearestDouble(at: usize): f64 {
  if (isQuick()) return quickDouble();
  const magnitude = slowDouble(numeral.negative ? at + 1 : at);
  return numeral.negative ? -magnitude : magnitude;
}

export function powerOfTen(exponent: i32): f64 {
  let power: f64 = 1;
  while (exponent--) power *= 10;
  return power;
}

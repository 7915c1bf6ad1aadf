// Numbers of JSON: their grammar, and the nearest double.

import { BIG_LEFT_AT, BIG_RIGHT_AT } from '../layout';
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
const EXACT_POWER: i32 = 22; // 10^22 is the last power of ten that a double holds exactly

// @ts-ignore: decorator
@inline
function isDigit(c: u32): bool {
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
  let c = <u32>load<u8>(at);
  const negative = c == 0x2d;
  if (negative) c = load<u8>(++at);
  if (!isDigit(c)) return fail(ERROR_SYNTAX, at);
  let digits: u64 = 0;
  let count: i32 = 0;
  let exponent: i32 = 0;
  let cut = false;
  let integer = true;
  if (c == 0x30) {
    c = load<u8>(++at);
    if (isDigit(c)) return fail(ERROR_SYNTAX, at);
  } else {
    do {
      if (count < MOST_DIGITS) {
        digits = digits * 10 + (c - 0x30);
        count++;
      } else {
        exponent++;
        cut = true;
      }
      c = load<u8>(++at);
    } while (isDigit(c));
  }
  if (c == 0x2e) {
    integer = false;
    c = load<u8>(++at);
    if (!isDigit(c)) return fail(ERROR_SYNTAX, at);
    do {
      if (count < MOST_DIGITS) {
        digits = digits * 10 + (c - 0x30);
        if (digits) count++;
        exponent--;
      } else cut = true;
      c = load<u8>(++at);
    } while (isDigit(c));
  }
  if ((c | 0x20) == 0x65) {
    integer = false;
    c = load<u8>(++at);
    const down = c == 0x2d;
    if (down || c == 0x2b) c = load<u8>(++at);
    if (!isDigit(c)) return fail(ERROR_SYNTAX, at);
    let written: i32 = 0;
    do {
      if (written < LARGEST_EXPONENT) written = written * 10 + (c - 0x30);
      c = load<u8>(++at);
    } while (isDigit(c));
    exponent += down ? -written : written;
  }
  numeral.negative = negative;
  numeral.digits = digits;
  numeral.exponent = exponent;
  numeral.cut = cut;
  numeral.integer = integer;
  return at;
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

function powerOfTen(exponent: i32): f64 {
  let power: f64 = 1;
  while (exponent--) power *= 10;
  return power;
}

/**
 * Starts from an approximation and walks, at most a few steps, to the double whose neighbours' midpoints enclose the
 * decimal text exactly; ties go to the even one.
 */
function slowDouble(text: usize): f64 {
  let magnitude = numeral.exponent;
  for (let rest = numeral.digits; rest; rest /= 10) magnitude++;
  if (numeral.digits == 0 && !numeral.cut) return 0;
  if (magnitude > 310) return Infinity;
  if (magnitude < -330) return 0;
  let bits = reinterpret<u64>(approximation());
  if (bits >= 0x7ff0000000000000) bits = 0x7fefffffffffffff;
  while (true) {
    const above = compareWithMidpoint(text, bits);
    if (above > 0 || (above == 0 && bits & 1)) {
      bits++;
      if (bits == 0x7ff0000000000000) break;
      continue;
    }
    if (bits) {
      const below = compareWithMidpoint(text, bits - 1);
      if (below < 0 || (below == 0 && bits & 1)) {
        bits--;
        continue;
      }
    }
    break;
  }
  return reinterpret<f64>(bits);
}

function approximation(): f64 {
  let double = <f64>numeral.digits;
  let exponent = numeral.exponent;
  while (exponent > 0) {
    const step = min(exponent, EXACT_POWER);
    double *= powerOfTen(step);
    exponent -= step;
  }
  while (exponent < 0) {
    const step = min(-exponent, EXACT_POWER);
    double /= powerOfTen(step);
    exponent += step;
  }
  return double;
}

/** Digits of the text beyond which only "some digit is not 0" matters: no midpoint of doubles has more. */
const MIDPOINT_DIGITS: i32 = 780;

/** Sign of the decimal text minus the midpoint between the double with these bits and the next one. */
function compareWithMidpoint(text: usize, bits: u64): i32 {
  let decimalExponent = 0;
  let rest = false;
  store<u32>(BIG_LEFT_AT, 0);
  let count = 0;
  let fraction = false;
  let c = <u32>load<u8>(text);
  for (; c == 0x2e || isDigit(c); c = load<u8>(++text)) {
    if (c == 0x2e) fraction = true;
    else if (count < MIDPOINT_DIGITS) {
      multiplyAdd(BIG_LEFT_AT, 10, c - 0x30);
      if (load<u32>(BIG_LEFT_AT)) count++;
      if (fraction) decimalExponent--;
    } else {
      if (c != 0x30) rest = true;
      if (!fraction) decimalExponent++;
    }
  }
  if ((c | 0x20) == 0x65) decimalExponent += writtenExponent(text + 1);

  let binaryExponent = <i32>(bits >> 52);
  let mantissa = bits & 0xfffffffffffff;
  if (binaryExponent) mantissa |= 0x10000000000000;
  else binaryExponent = 1;
  setBig(BIG_RIGHT_AT, mantissa * 2 + 1);
  const shift = binaryExponent - 1076 - decimalExponent;
  if (decimalExponent >= 0) multiplyByPowerOfFive(BIG_LEFT_AT, decimalExponent);
  else multiplyByPowerOfFive(BIG_RIGHT_AT, -decimalExponent);
  if (shift >= 0) shiftLeft(BIG_RIGHT_AT, shift);
  else shiftLeft(BIG_LEFT_AT, -shift);
  const order = compareBig();
  return order == 0 && rest ? 1 : order;
}

function writtenExponent(at: usize): i32 {
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

// A big integer: the number of limbs, then the limbs from the lowest, 32 bits each.

function setBig(big: usize, value: u64): void {
  store<u32>(big, value >> 32 ? 2 : 1);
  store<u64>(big + 4, value);
}

function multiplyAdd(big: usize, factor: u32, summand: u32): void {
  const limbs = load<u32>(big);
  let carry: u64 = summand;
  let at = big + 4;
  for (let i: u32 = 0; i < limbs; i++, at += 4) {
    carry += <u64>load<u32>(at) * factor;
    store<u32>(at, <u32>carry);
    carry >>= 32;
  }
  if (carry) {
    store<u32>(at, <u32>carry);
    store<u32>(big, limbs + 1);
  }
}

function shiftLeft(big: usize, bits: i32): void {
  for (; bits >= 31; bits -= 31) multiplyAdd(big, 1 << 31, 0);
  if (bits) multiplyAdd(big, 1 << bits, 0);
}

function multiplyByPowerOfFive(big: usize, exponent: i32): void {
  for (; exponent >= 13; exponent -= 13) multiplyAdd(big, 1220703125, 0);
  while (exponent-- > 0) multiplyAdd(big, 5, 0);
}

function compareBig(): i32 {
  const left = load<u32>(BIG_LEFT_AT);
  const right = load<u32>(BIG_RIGHT_AT);
  if (left != right) return left > right ? 1 : -1;
  for (let limb = <i32>left; limb > 0; limb--) {
    const a = load<u32>(BIG_LEFT_AT + (limb << 2));
    const b = load<u32>(BIG_RIGHT_AT + (limb << 2));
    if (a != b) return a > b ? 1 : -1;
  }
  return 0;
}

// The nearest double of numbers that one correctly rounded operation does not give.

import { BIG_LEFT_AT, BIG_RIGHT_AT } from '../layout';
import { EXACT_POWER, isDigit, numeral, powerOfTen, writtenExponent } from './numbers';

/**
 * The double nearest to the number in `numeral`, without its sign. Starts from an approximation and walks, at most a few steps, to the double whose neighbours' midpoints enclose the
 * decimal text exactly; ties go to the even one.
 */
export function slowDouble(text: usize): f64 {
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

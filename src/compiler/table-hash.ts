// The hash functions of the tables, as the core computes them (core/assembly/lookup.ts). 64-bit products are put together from
// 32-bit ones: BigInt would be ten times slower, and a policy has tens of thousands of texts.

const MULTIPLIER_LOW = 0x7f4a7c15;
const MULTIPLIER_HIGH = 0x9e3779b9;

/** High and low half of (high:low) times the multiplier, modulo 2^64. */
function multiply(high: number, low: number): readonly [high: number, low: number] {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = MULTIPLIER_LOW & 0xffff;
  const d = MULTIPLIER_LOW >>> 16;
  const lowest = a * c;
  const middle = b * c + (lowest >>> 16);
  const crossed = a * d + (middle & 0xffff);
  const carry = b * d + (middle >>> 16) + (crossed >>> 16);
  const upper = carry + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW);
  return [upper >>> 0, (((crossed & 0xffff) << 16) | (lowest & 0xffff)) >>> 0];
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let word = 0;
  for (let index = Math.min(length, 4) - 1; index >= 0; index--) word = (word << 8) | (bytes[at + index] ?? 0);
  return word >>> 0;
}

/** 32-bit hash of the bytes of a text. */
export function hashText(bytes: Uint8Array): number {
  let [high, low] = multiply(0, bytes.length + 1);
  let at = 0;
  for (; bytes.length - at > 8; at += 8) {
    [high, low] = multiply((high ^ littleEndian(bytes, at + 4, 4)) >>> 0, (low ^ littleEndian(bytes, at, 4)) >>> 0);
    low = (low ^ high) >>> 0;
  }
  const left = bytes.length - at;
  const lastHigh = (high ^ littleEndian(bytes, at + 4, left - 4)) >>> 0;
  const lastLow = (low ^ littleEndian(bytes, at, left)) >>> 0;
  return multiply(lastHigh, lastLow)[0];
}

/** 32-bit hash of the bits of a double. */
export function hashDouble(bits: bigint): number {
  return multiply(Number(bits >> 32n), Number(bits & 0xffffffffn))[0];
}

/** Which of the 64 bits of a signature stands for the fact at this address. */
export function signatureBit(address: number): number {
  return Math.imul(address >>> 4, MULTIPLIER_HIGH) >>> 26;
}

/** Entries of a hash table for so many keys: a power of two, at most half of it in use. */
export function tableSize(keys: number): number {
  let size = 2;
  while (size < keys * 4) size *= 2;
  return size;
}

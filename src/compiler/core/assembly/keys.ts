// The keys at the top of an alert, in any ASCII case.

import { FOLDED_KEY_AT } from '../layout';

// Keys at the top of an alert, as `topKey` tells them apart.
export const KEY_OTHER = 0;
export const KEY_RULE = 1;
export const KEY_PRIORITY = 2;
export const KEY_SOURCE = 3;
export const KEY_OUTPUT = 4;
export const KEY_HOSTNAME = 5;
export const KEY_TIME = 6;
export const KEY_TAGS = 7;
export const KEY_OUTPUT_FIELDS = 8;
export const KEY_CONTEXT = 9;
export const KEY_TRACE_ID = 10;

// Letters that differ from upper case in this bit alone. An underscore must be compared apart: with the bit set it is a DEL.
const LOWER_4: u32 = 0x20202020;
export const LOWER_8: u64 = 0x2020202020202020;

/** Which key this is, in any ASCII case. */
// @ts-ignore: decorator
@inline
export function topKey(at: usize, length: usize): i32 {
  const key = asciiKey(at, length);
  if (key == KEY_OTHER && (length == 5 || length == 7 || length == 9 || length == 14)) return keyWithLongS(at, length);
  return key;
}

// @ts-ignore: decorator
@inline
function asciiKey(at: usize, length: usize): i32 {
  switch (<i32>length) {
    case 4: {
      const word = load<u32>(at) | LOWER_4;
      if (word == 0x656c7572) return KEY_RULE;
      if (word == 0x73676174) return KEY_TAGS;
      return word == 0x656d6974 ? KEY_TIME : KEY_OTHER;
    }
    case 6: {
      const word = (load<u64>(at) | LOWER_8) & 0xffffffffffff;
      if (word == 0x656372756f73) return KEY_SOURCE;
      return word == 0x74757074756f ? KEY_OUTPUT : KEY_OTHER;
    }
    case 8: {
      const word = load<u64>(at) | LOWER_8;
      if (word == 0x797469726f697270) return KEY_PRIORITY;
      if (word == 0x656d616e74736f68) return KEY_HOSTNAME;
      return word == 0x64697f6563617274 && load<u8>(at + 5) == 0x5f ? KEY_TRACE_ID : KEY_OTHER;
    }
    case 13:
      return (load<u64>(at) | LOWER_8) == 0x667f74757074756f &&
        (load<u64>(at + 5) | LOWER_8) == 0x73646c6569667f74 &&
        load<u8>(at + 6) == 0x5f
        ? KEY_OUTPUT_FIELDS
        : KEY_OTHER;
    case 7:
      return ((load<u64>(at) | LOWER_8) & 0xffffffffffffff) == 0x747865746e6f63 ? KEY_CONTEXT : KEY_OTHER;
  }
  return KEY_OTHER;
}

/** The long s, two bytes, counts as an s. Each key that has an s has one, so that the key gets one byte shorter. */
function keyWithLongS(at: usize, length: usize): i32 {
  let to: usize = FOLDED_KEY_AT;
  for (let from: usize = 0; from < length; from++) {
    const long = load<u16>(at + from) == 0xbfc5 && from + 1 < length;
    store<u8>(to++, long ? 0x73 : load<u8>(at + from));
    if (long) from++;
  }
  return to - FOLDED_KEY_AT == length - 1 ? asciiKey(FOLDED_KEY_AT, length - 1) : KEY_OTHER;
}

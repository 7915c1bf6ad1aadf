// Names of priorities, in any ASCII case.

import { HEADER_PRIORITY_SLOT, SEGMENT_AT, SLOT_TEXT, SLOT_TEXT_LENGTH } from '../layout';
import { pointer } from './header';
import { LOWER_8 } from './keys';

/** Number of the alert's priority, 1 (Debug) to 8 (Emergency), 0 for anything else. */
export function priorityNumber(): u32 {
  const at = pointer(SEGMENT_AT + HEADER_PRIORITY_SLOT, SLOT_TEXT);
  const length = pointer(SEGMENT_AT + HEADER_PRIORITY_SLOT, SLOT_TEXT_LENGTH);
  if (length < 4 || length > 13) return 0;
  const word = load<u64>(at) | LOWER_8;
  switch (<i32>length) {
    case 4:
      return (word & 0xffffffff) == 0x6f666e69 ? 2 : 0; // info
    case 5: {
      const five = word & 0xffffffffff;
      if (five == 0x6775626564) return 1; // debug
      if (five == 0x726f727265) return 5; // error
      return five == 0x7472656c61 ? 7 : 0; // alert
    }
    case 6:
      return (word & 0xffffffffffff) == 0x656369746f6e ? 3 : 0; // notice
    case 7:
      return (word & 0xffffffffffffff) == 0x676e696e726177 ? 4 : 0; // warning
    case 8:
      return word == 0x6c61636974697263 ? 6 : 0; // critical
    case 9:
      return word == 0x636e656772656d65 && (load<u8>(at + 8) | 0x20) == 0x79 ? 8 : 0; // emergency
    case 13:
      return word == 0x74616d726f666e69 && (load<u64>(at + 5) | LOWER_8) == 0x6c616e6f6974616d ? 2 : 0; // informational
  }
  return 0;
}

import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { repairUtf8 } from './repair-utf8.ts';

const REPLACEMENT = [0xef, 0xbf, 0xbd];

test.each([
  ['a byte that starts nothing', [0x61, 0xff, 0x62], [0x61, ...REPLACEMENT, 0x62]],
  ['each byte of a truncated sequence', [0xe2, 0x82], [...REPLACEMENT, ...REPLACEMENT]],
  ['each byte of a surrogate', [0xed, 0xa0, 0x80], [...REPLACEMENT, ...REPLACEMENT, ...REPLACEMENT]],
  ['an overlong spelling', [0xc0, 0x80], [...REPLACEMENT, ...REPLACEMENT]],
  [
    'what lies beyond U+10FFFF',
    [0xf4, 0x90, 0x80, 0x80],
    [...REPLACEMENT, ...REPLACEMENT, ...REPLACEMENT, ...REPLACEMENT],
  ],
])('%s', (_, bytes, repaired) => {
  expect([...repairUtf8(Uint8Array.from(bytes))]).toEqual(repaired);
});

test('valid bytes come back as the same array, all others become valid', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const repaired = repairUtf8(bytes);
      expect(repaired === bytes).toBe(isUtf8(bytes));
      expect(isUtf8(repaired)).toBe(true);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = Buffer.from(text);
      expect(repairUtf8(bytes)).toBe(bytes);
    }),
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { secondsOf } from './duration.ts';

test.each([
  ['30s', 30],
  ['2m', 120],
  ['1h30m', 5400],
  ['1m30s', 90],
  ['500ms', 0.5],
  ['1.5s', 1.5],
  ['0.1s0.2s', 0.3],
  ['30', 30],
  ['2.5', 2.5],
  ['0', 0],
])('%s is %d seconds', (text, seconds) => expect(secondsOf(text)).toBe(seconds));

test.each(['', ' ', '30 s', '-1s', '+1s', 's', '1', '1d', '1S', '1e3', '0x10', '1_000', '.5s', '1.s', '30s ', '1s\n'])(
  '%j is no duration, or a number',
  (text) => expect(secondsOf(text)).toBe(text === '1' ? 1 : undefined),
);

test('hours, minutes and seconds add up', () => {
  const parts = [fc.nat(23), fc.nat(59), fc.nat(59)] as const;
  fc.assert(
    fc.property(...parts, (hours, minutes, seconds) => {
      const expected = hours * 3600 + minutes * 60 + seconds;
      expect(secondsOf(`${hours}h${minutes}m${seconds}s`)).toBe(expected);
      expect(secondsOf(String(expected))).toBe(expected);
    }),
  );
});

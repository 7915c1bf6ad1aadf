import { expect, it, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

test.each<[string | string[] | undefined, number | undefined]>([
  ['3', 3000],
  [['0.5', '9'], 500],
  ['0', 0],
  ['999999999', 3_600_000],
  ['-1', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j are %j milliseconds', (header, milliseconds) => {
  expect(retryAfterMs(header)).toBe(milliseconds);
});

it('reads dates', () => {
  expect(retryAfterMs(new Date(Date.now() + 10_000).toUTCString())).toBeGreaterThan(8_000);
});

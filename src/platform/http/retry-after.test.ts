import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');

it.each([
  ['3', 3000],
  ['0', 0],
  [' 10 ', 10_000],
  [['7', '8'], 7000],
  ['99999999', 3_600_000],
  ['Sun, 01 Mar 2026 10:00:05 GMT', 5000],
  ['Sun, 01 Mar 2026 09:00:00 GMT', 0],
  ['soon', undefined],
  ['-1e400', undefined],
  ['', undefined],
  [undefined, undefined],
])('%j asks for %s ms', (header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait);
});

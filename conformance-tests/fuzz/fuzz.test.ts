import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';

test('5,000 generated pairs of rules and bodies mean the same to every engine', { timeout: 120_000 }, async () => {
  const { failure, ...counts } = await fuzz(1, 5_000);
  expect(failure).toBeUndefined();
  expect(counts.pairs).toBe(5_000);
  // The generators reach what they are for.
  expect(counts.matched).toBeGreaterThan(1_000);
  expect(counts.stock).toBeGreaterThan(300);
  expect(Object.keys(counts.errors)).toEqual(expect.arrayContaining(['1', '2', '3', '5']));
});

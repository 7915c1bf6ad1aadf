import { expect, it } from 'vitest';
import { BoundedText } from './bounded-text.ts';

it('keeps the beginning of a text, in pieces of any size', () => {
  const text = new BoundedText(10);
  for (const piece of ['ab', '', 'cdefg', 'hijklm', 'n']) text.add(Buffer.from(piece));
  expect(text.text).toBe('abcdefghij');
  expect(text.truncated).toBe(true);
});

it('leaves out a character that is cut in two', () => {
  const text = new BoundedText(3);
  text.add(Buffer.from('aéé'));
  expect(text.text).toBe('aé');
  expect(text.truncated).toBe(true);
  const broken = new BoundedText(3);
  broken.add(Buffer.from([0x61, 0xff]));
  expect(broken.text).toBe('a\ufffd');
  expect(broken.truncated).toBe(false);
});

it('takes little more memory than its length, however small the pieces are', () => {
  const before = process.memoryUsage();
  const text = new BoundedText(2 ** 20);
  const piece = Buffer.from('x');
  for (let count = 0; count < 2 ** 20 + 5; count++) text.add(piece);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  expect(text.text.length).toBe(2 ** 20);
  expect(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers).toBeLessThan(40 * 2 ** 20);
});

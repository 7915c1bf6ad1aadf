import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyPrefix } from './key-prefix.ts';

test.each([
  ['', ''],
  ['/', ''],
  ['///', ''],
  ['files', 'files/'],
  ['/files/', 'files/'],
  ['//a/b//', 'a/b/'],
  ['a?b#c', 'a?b#c/'],
])('%j becomes %j', (given, prefix) => {
  expect(keyPrefix(given)).toBe(prefix);
});

test('it stays as it is when made again, and begins with no slash', () => {
  fc.assert(
    fc.property(fc.string(), (given) => {
      const prefix = keyPrefix(given);
      expect(keyPrefix(prefix)).toBe(prefix);
      expect(prefix.startsWith('/')).toBe(false);
    }),
  );
});

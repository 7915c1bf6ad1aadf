import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, suggest } from './suggest.ts';

const IDS = ['kubernetes:terminate', 'kubernetes:label', 'kubernetes:log', 'aws:lambda'];

test.each([
  ['kubernetes:lable', 'kubernetes:label'],
  ['kubernetes:Terminate', 'kubernetes:terminate'],
  ['kubernetes:terminat', 'kubernetes:terminate'],
  ['aws:lamdba', 'aws:lambda'],
  ['kubernetes-log', 'kubernetes:log'],
])('%s is meant to be %s', (word, meant) => expect(suggest(word, IDS)).toBe(meant));

test.each(['gcp:function', 'x', '', 'something else altogether'])('nothing is near to %j', (word) => {
  expect(suggest(word, IDS)).toBeUndefined();
  expect(didYouMean(word, IDS)).toBeUndefined();
});

test('underscores, hyphens and case count little', () => {
  expect(didYouMean('ignore-errors', ['ignore_errors', 'continue'])).toBe('did you mean `ignore_errors`?');
  expect(didYouMean('ignoreDaemonsets', ['ignore_daemonsets'])).toBe('did you mean `ignore_daemonsets`?');
});

test('a candidate is always the answer to itself, however long', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (word) => {
      expect(suggest(word, ['other', word])).toBeDefined();
    }),
  );
  expect(suggest('k'.repeat(100_000), ['k'.repeat(90)])).toBe('k'.repeat(90));
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBucketName, checkObjectKey } from './bucket-name.ts';

const ARN = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/talon';

describe('checkBucketName', () => {
  it.each(['forensics', 'my.bucket-1', 'Old_Bucket', 'a'])('lets %j through', (name) => {
    expect(() => checkBucketName(name)).not.toThrow();
  });

  it.each([
    '',
    '.',
    '..',
    'a..b',
    '-a',
    'a/',
    'a/b',
    'a?b',
    'a#b',
    'a%2fb',
    'a b',
    'a\0',
    'a\n',
    '😀',
    ARN,
    'x'.repeat(256),
  ])('refuses %.20j', (name) => {
    expect(() => checkBucketName(name)).toThrow(expect.objectContaining({ code: 'refused' }));
  });

  it('takes the ARN of an access point where there are some, and no other path', () => {
    expect(() => checkBucketName(ARN, { arns: true })).not.toThrow();
    expect(() => checkBucketName(`${ARN}/../x`, { arns: true })).toThrow();
    expect(() => checkBucketName(`${ARN}?x`, { arns: true })).toThrow();
  });

  it('says what it refuses in a short text', () => {
    expect(() => checkBucketName('/'.repeat(1_000_000))).toThrow(`'${'/'.repeat(100)}' is not the name of a bucket`);
  });
});

describe('checkObjectKey', () => {
  it.each(['a', 'a/b', 'a b?c#d%2f/é😀', '.hidden', 'a..b', '...'])('lets %j through', (key) => {
    expect(() => checkObjectKey(key)).not.toThrow();
  });

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/.',
    'a\\b',
    'a\0',
    'a\n',
    '\ud800',
    'é'.repeat(513),
  ])('refuses %.20j', (key) => {
    expect(() => checkObjectKey(key)).toThrow(expect.objectContaining({ code: 'refused' }));
  });

  it('lets nothing through that a URL would change', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (key) => {
        try {
          checkObjectKey(key);
        } catch {
          return;
        }
        const path = `/bucket/${key.split('/').map(encodeURIComponent).join('/')}`;
        expect(new URL(`http://host${path}`).pathname).toBe(path);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { createRedactor, type Redact, redactTexts } from './redact.ts';

const redactor = (secrets: readonly string[]) => createRedactor(secrets) as Redact;

describe('createRedactor', () => {
  it('takes secrets out, as they are and as they look in URLs, base64 and JSON', () => {
    const redact = redactor(['p@ss "w/ord"']);
    for (const form of ['p@ss "w/ord"', 'p%40ss%20%22w%2Ford%22', 'cEBzcyAidy9vcmQi', 'p@ss \\"w/ord\\"']) {
      expect(redact(`a ${form} b ${form}`)).toBe('a *** b ***');
    }
  });
  it('takes the longest of overlapping secrets', () => {
    expect(redactor(['token', 'token-1234'])('x token-1234 token')).toBe('x *** ***');
  });
  it('takes secrets for texts, not for patterns', () => {
    expect(redactor(['a.c*[d', '^$|()'])('abc*[d a.c*[d ^$|()')).toBe('abc*[d *** ***');
  });
  it('makes nothing where there is nothing worth hiding', () => {
    expect(createRedactor(['', 'abc'])).toBeUndefined();
  });
});

it('redactTexts reaches every text of a value, but no key', () => {
  const value = { secret: ['my secret', 1, null, { deep: 'secret' }], ok: true };
  expect(redactTexts(value, redactor(['secret']))).toEqual({
    secret: ['my ***', 1, null, { deep: '***' }],
    ok: true,
  });
});

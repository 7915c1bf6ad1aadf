import { describe, expect, it } from 'vitest';
import { createRedactor, redactTexts } from './redact.ts';

describe('createRedactor', () => {
  it('takes secrets out, as they are and as they look in URLs, base64 and JSON', () => {
    const redact = createRedactor(['p@ss "w/ord"']);
    for (const form of ['p@ss "w/ord"', 'p%40ss%20%22w%2Ford%22', 'cEBzcyAidy9vcmQi', 'p@ss \\"w/ord\\"']) {
      expect(redact(`a ${form} b ${form}`)).toBe('a *** b ***');
    }
  });
  it('takes the longest of overlapping secrets', () => {
    expect(createRedactor(['token', 'token-1234'])('x token-1234 token')).toBe('x *** ***');
  });
  it('takes secrets for texts, not for patterns', () => {
    expect(createRedactor(['a.c*[d', '^$|()'])('abc*[d a.c*[d ^$|()')).toBe('abc*[d *** ***');
  });
  it('leaves all texts alone where there is nothing worth hiding', () => {
    expect(createRedactor(['', 'abc'])('abcdef')).toBe('abcdef');
  });
});

it('redactTexts reaches every text of a value, but no key', () => {
  const value = { secret: ['my secret', 1, null, { deep: 'secret' }], ok: true };
  expect(redactTexts(value, createRedactor(['secret']))).toEqual({
    secret: ['my ***', 1, null, { deep: '***' }],
    ok: true,
  });
});

import { describe, expect, it } from 'vitest';
import { checkAllowed } from './allowed-functions.ts';

describe('checkAllowed', () => {
  const isAllowed = (allowed: readonly string[] | undefined, name: string) => {
    try {
      checkAllowed(allowed, name);
      return true;
    } catch {
      return false;
    }
  };

  it('allows all where nothing is said', () => {
    expect([isAllowed(undefined, 'a'), isAllowed([], 'a')]).toEqual([true, true]);
  });

  it.each([
    ['triage', 'triage', true],
    ['triage', 'triage2', false],
    ['triage-*', 'triage-shell', true],
    ['triage-*', 'other', false],
    ['us-central1/*', 'us-central1/triage', true],
    ['*:function:triage', 'arn:aws:lambda:eu-west-1:1:function:triage', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'ac', false],
    ['a*bc*c', 'abc', false],
    ['ab*ba', 'aba', false],
    ['a.c', 'abc', false],
    ['*', '', true],
  ])('holds %j against %j', (pattern, name, allowed) => {
    expect(isAllowed(['nothing', pattern], name)).toBe(allowed);
  });

  it('says what it does not allow', () => {
    expect(() => checkAllowed(['a'], 'b')).toThrow("the function 'b' is not among those that the configuration allows");
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../model/outcome.ts';
import { isFinal, waitAfter } from './notice-retry.ts';

const failure = (code: FailureCode, error = '') => ({ status: 'failure', code, error, objects: {} }) as const;

describe('isFinal', () => {
  it('takes a refusal of the notice itself for the end', () => {
    for (const error of ['header missing: entry out of order', 'wrong request', '400 Bad Request']) {
      expect(isFinal(failure('refused', error))).toBe(true);
    }
  });

  it('goes on where somebody can mend what is wrong', () => {
    for (const error of [
      'authentication error',
      'access denied',
      'resource not found',
      'events is forbidden: User "talon" cannot create resource "events"',
      '535 Authentication failed',
    ]) {
      expect(isFinal(failure('refused', error))).toBe(false);
    }
    const codes: FailureCode[] = ['busy', 'unreachable', 'deadline', 'not-found', 'conflict', 'limit', 'bug'];
    for (const code of codes) expect(isFinal(failure(code))).toBe(false);
  });
});

describe('waitAfter', () => {
  it('is a second at first, five minutes at most, and half of it at random', () => {
    expect([1, 2, 3, 9, 10, 100].map((failures) => waitAfter(failures, 1, {}))).toEqual([
      ...[1_000, 2_000, 4_000, 256_000, 300_000, 300_000],
    ]);
    expect(waitAfter(3, 0, {})).toBe(2_000);
  });

  it('is no less than the other side asks for, up to an hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (n, r, asked) => {
          const wait = waitAfter(n, r, { retryAfterMs: asked });
          expect(wait).toBeGreaterThanOrEqual(Math.max(500, Math.min(asked, 3_600_000)));
          expect(wait).toBeLessThanOrEqual(Math.max(300_000, Math.min(asked, 3_600_000)));
        },
      ),
    );
  });
});

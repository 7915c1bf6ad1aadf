import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { action, failure } from '../test-pipeline.ts';
import { Attempts, attemptLimits } from './attempts.ts';

const LIMITS = { attempts: 3, backoff: 100, unreachable: 60_000 };
const SETTINGS = { attempts: 3, backoff_milliseconds: 250, unreachable_seconds: 600 };

type Failure = Parameters<Attempts['waitAfter']>[0];
const fail = (code: Failure['code'], retryAfterMs?: number): Failure => {
  const made = failure(code) as Failure;
  return retryAfterMs === undefined ? made : { ...made, retryAfterMs };
};

describe('Attempts', () => {
  it('counts tries that found the other side busy, and spreads waits that may double each time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.constantFrom('busy', 'conflict'),
        (most, backoff, code) => {
          const attempts = new Attempts({ ...LIMITS, attempts: most, backoff }, 0, () => 0);
          for (let made = 1; made < most; made++) {
            expect(attempts.current).toBe(made);
            const wait = attempts.waitAfter(fail(code));
            expect(wait).toBeGreaterThanOrEqual(0);
            expect(wait).toBeLessThanOrEqual(Math.min(Math.max(60_000, backoff), backoff * 2 ** (made - 1)));
          }
          expect(attempts.current).toBe(most);
          expect(attempts.waitAfter(fail(code))).toBeUndefined();
        },
      ),
    );
  });

  it('waits for as long as a rule says, though that is longer than others wait', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const attempts = new Attempts({ ...LIMITS, attempts: 9, backoff: 3_600_000 }, 0, () => 0);
    const waits = [attempts.waitAfter(fail('busy')), attempts.waitAfter(fail('busy'))];
    expect(waits).toEqual([3_596_400, 3_596_400]);
    random.mockRestore();
  });

  it('waits at least as long as the other side asks for, within reason', () => {
    const attempts = new Attempts({ ...LIMITS, attempts: 9 }, 0, () => 0);
    expect(attempts.waitAfter(fail('busy', 7_000))).toBe(7_000);
    expect(attempts.waitAfter(fail('busy', 10 ** 12))).toBe(600_000);
    expect(attempts.waitAfter(fail('busy'))).toBeLessThanOrEqual(400);
  });

  it('does not count tries that found nobody, until their time is over', () => {
    let now = 0;
    const attempts = new Attempts({ ...LIMITS, attempts: 1 }, 0, () => now);
    for (; now < 60_000; now += 1_000) {
      const wait = attempts.waitAfter(fail('unreachable'));
      expect(wait).toBeLessThanOrEqual(Math.min(5_000, 60_000 - now));
      expect(attempts.current).toBe(1);
    }
    expect(attempts.waitAfter(fail('unreachable'))).toBeUndefined();
    expect(attempts.patience()).toBe(0);
  });

  it('begins that time anew after an answer', () => {
    let now = 0;
    const attempts = new Attempts(LIMITS, 0, () => now);
    expect(attempts.waitAfter(fail('unreachable'))).toBeDefined();
    now = 59_000;
    expect(attempts.waitAfter(fail('busy'))).toBeDefined();
    now = 61_000;
    expect(attempts.patience()).toBe(60_000);
    expect(attempts.waitAfter(fail('unreachable'))).toBeDefined();
  });

  it.each(['refused', 'not-found', 'missing-field', 'deadline', 'limit', 'door', 'bug'] as const)(
    'ends with %s',
    (code) => {
      expect(new Attempts(LIMITS, 0, () => 0).waitAfter(fail(code))).toBeUndefined();
    },
  );

  it.each(['busy', 'conflict', 'interrupted'] as const)('goes on after %s, as often as it may', (code) => {
    const attempts = new Attempts(LIMITS, 0, () => 0);
    for (let attempt = 1; attempt < LIMITS.attempts; attempt += 1) expect(attempts.waitAfter(fail(code))).toBeDefined();
    expect(attempts.waitAfter(fail(code))).toBeUndefined();
  });

  it('goes on counting after a restart', () => {
    const attempts = new Attempts(LIMITS, 3, () => 0);
    expect(attempts.current).toBe(3);
    expect(attempts.waitAfter(fail('busy'))).toBeUndefined();
  });
});

describe('attemptLimits', () => {
  it.each([
    ['an idempotent action', undefined, true, { attempts: 3, backoff: 250, unreachable: 600_000 }],
    ['one that is not', undefined, false, { attempts: 1, backoff: 250, unreachable: 600_000 }],
    ['a rule that says it', { attempts: 5, backoff: 2 }, false, { attempts: 5, backoff: 2_000, unreachable: 600_000 }],
  ])('are, for %s', (_, retry, idempotent, limits) => {
    expect(attemptLimits(action('a', retry && { retry }), idempotent, SETTINGS)).toEqual(limits);
  });
});

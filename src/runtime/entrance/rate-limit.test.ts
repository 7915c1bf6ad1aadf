import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

function begin(perSecond: number) {
  let now = 1_000;
  const limit = new RateLimit(perSecond, () => now);
  const takes = (sender: string, times: number) =>
    Array.from({ length: times }, () => limit.take(sender)).filter(Boolean).length;
  return { limit, takes, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('RateLimit', () => {
  it('lets one second of requests through at once, then as they come', () => {
    const { takes, pass } = begin(10);
    expect(takes('a', 15)).toBe(10);
    pass(99);
    expect(takes('a', 5)).toBe(0);
    pass(1);
    expect(takes('a', 5)).toBe(1);
    pass(500);
    expect(takes('a', 15)).toBe(5);
    pass(3_600_000);
    expect(takes('a', 15)).toBe(10);
  });

  it('keeps senders apart', () => {
    const { takes } = begin(3);
    expect(takes('a', 9)).toBe(3);
    expect(takes('b', 9)).toBe(3);
    expect(takes('a', 9)).toBe(0);
  });

  it('never lets more through than the rate allows, whatever the pattern', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2_500 }), fc.integer({ min: 0, max: 80 })), { maxLength: 30 }),
        (rate, steps) => {
          const { takes, pass } = begin(rate);
          let passed = 0;
          let taken = 0;
          for (const [wait, wanted] of steps) {
            pass(wait);
            passed += wait;
            taken += takes('a', wanted);
            expect(taken).toBeLessThanOrEqual(rate + (rate * passed) / 1_000 + 1e-6);
          }
        },
      ),
    );
  });

  it('lets through all who keep to the rate', () => {
    const { takes, pass } = begin(10);
    for (let request = 0; request < 500; request++) {
      expect(takes('a', 1)).toBe(1);
      pass(100.001);
    }
  });

  it('remembers a bounded number of senders, and lets the others share one rate', () => {
    const { limit, takes } = begin(2);
    for (let sender = 0; sender < 10_000; sender++) expect(takes(`s${sender}`, 3)).toBe(2);
    expect(takes('late', 1) + takes('later', 1) + takes('latest', 1)).toBe(2);
    expect(takes('s0', 1)).toBe(0);
    expect(limit.size).toBe(10_000);
  });

  it('forgets senders who are quiet', () => {
    const { limit, takes, pass } = begin(2);
    for (let sender = 0; sender < 1_000; sender++) takes(`s${sender}`, 2);
    for (let second = 0; second < 3; second++) {
      pass(1_000);
      takes('other', 1);
    }
    expect(limit.size).toBeLessThanOrEqual(2);
    expect(takes('s0', 3)).toBe(2);
  });
});

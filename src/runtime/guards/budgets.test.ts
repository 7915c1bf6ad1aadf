import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Budgets } from './budgets.ts';

const limit = (key: string, max: number, window = 60) => ({ key, max, window });
const user = (alert: number, step = 0) => ({ alert, step });

describe('budgets', () => {
  test('are spent after so many uses, until the window has passed', () => {
    const budgets = new Budgets();
    const two = limit('k', 2);
    expect(budgets.reserve(user(1), [two], 0)).toBeUndefined();
    expect(budgets.reserve(user(2), [two], 30_000)).toBeUndefined();
    expect(budgets.reserve(user(3), [two], 59_999)).toBe(two);
    expect(budgets.reserve(user(3), [two], 60_000)).toBeUndefined();
    expect(budgets.reserve(user(4), [two], 60_001)).toBe(two);
  });

  test('are taken once by a step, however often it is tried', () => {
    const budgets = new Budgets();
    const one = limit('k', 1);
    for (const now of [0, 1, 1_000, 120_000]) expect(budgets.reserve(user(1), [one], now)).toBeUndefined();
    expect(budgets.reserve(user(1, 1), [one], 1_000)).toBe(one);
    expect(budgets.count('k', 60, 1_000)).toBe(1);
    expect(budgets.count('k', 60, 1_000, user(1))).toBe(0);
  });

  test('hold for a step that waits until the window has passed, and no longer', () => {
    const budgets = new Budgets();
    const one = limit('k', 1);
    budgets.reserve(user(1), [one], 0);
    budgets.reserve(user(2), [one], 70_000);
    expect(budgets.reserve(user(1), [one], 80_000)).toBe(one);
    expect(budgets.reserve(user(1), [one], 130_000)).toBeUndefined();
    expect(budgets.reserve(user(3), [one], 140_000)).toBe(one);
    expect(budgets.count('k', 3_600, 140_000)).toBe(2);
  });

  test('of many uses are counted at once', () => {
    const budgets = new Budgets();
    const counted = limit('k', Number.POSITIVE_INFINITY, 3_600);
    const before = process.cpuUsage();
    for (let alert = 0; alert < 200_000; alert++) {
      budgets.reserve(user(alert), [counted], alert);
      budgets.count('k', 3_600, alert, user(alert));
    }
    expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
    expect(budgets.count('k', 100, 200_000, user(199_999))).toBe(99_998);
  });

  test('count what lies ahead when the clock was set back', () => {
    const budgets = new Budgets();
    const two = limit('k', 2);
    budgets.reserve(user(1), [two], 1_000_000);
    budgets.reserve(user(2), [two], 0);
    expect(budgets.reserve(user(3), [two], 1)).toBe(two);
    expect(budgets.reserve(user(3), [two], 60_000)).toBeUndefined();
    expect(budgets.count('k', 60, 1_060_000)).toBe(0);
  });

  test('are taken all or none', () => {
    const budgets = new Budgets();
    budgets.reserve(user(1), [limit('b', 1)], 0);
    expect(budgets.reserve(user(2), [limit('a', 1), limit('b', 1), limit('c', 1)], 0)?.key).toBe('b');
    expect(budgets.count('a', 60, 0) + budgets.count('c', 60, 0)).toBe(0);
  });

  test('of one key with several windows share their uses', () => {
    const budgets = new Budgets();
    const limits = [limit('k', 2, 60), limit('k', 3, 3600)];
    for (const [alert, at] of [0, 1, 100_000].entries())
      expect(budgets.reserve(user(alert), limits, at)).toBeUndefined();
    expect(budgets.reserve(user(9), limits, 200_000)).toBe(limits[1]);
  });

  test('remember what the journal says of the time before', () => {
    const uses = [
      { key: 'k', at: 50_000, alert: 2, step: 0 },
      { key: 'k', at: 1_000, alert: 1, step: 0 },
    ];
    const budgets = new Budgets(uses);
    expect(budgets.reserve(user(3), [limit('k', 2)], 60_000)?.key).toBe('k');
    expect(budgets.reserve(user(2), [limit('k', 2)], 60_000)).toBeUndefined();
    expect(budgets.reserve(user(3), [limit('k', 2)], 61_000)).toBeUndefined();
  });

  test('forget what no window reaches', () => {
    const budgets = new Budgets();
    for (let alert = 0; alert < 50_000; alert++) budgets.reserve(user(alert), [limit(`k${alert}`, 1)], alert * 1000);
    expect(budgets.size).toBeLessThan(2_000);
  });
});

test('never more uses within a window than the budget allows, and never fewer than it could', () => {
  const attempt = fc.record({
    alert: fc.nat(20),
    wait: fc.nat(20_000),
    keys: fc.subarray(['a', 'b'] as const, { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
      const budgets = new Budgets();
      let held: { key: string; alert: number; at: number }[] = [];
      let now = 0;
      for (const { alert, wait, keys } of attempts) {
        now += wait;
        const limits = keys.map((key) => limit(key, key === 'a' ? 2 : 3, 30));
        const recent = (key: string) => held.filter((use) => use.key === key && use.at > now - 30_000).length;
        const isOwn = (use: (typeof held)[number]) => use.alert === alert;
        const has = (key: string) => held.some((use) => use.key === key && isOwn(use) && use.at > now - 30_000);
        const expected = limits.find(({ key, max }) => !has(key) && recent(key) >= max);
        expect(budgets.reserve(user(alert), limits, now)).toBe(expected);
        const taken = expected ? [] : keys.filter((key) => !has(key));
        held = held.filter((use) => !(isOwn(use) && (taken as string[]).includes(use.key)));
        for (const key of taken) held.push({ key, alert, at: now });
      }
    }),
  );
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Congestion } from './congestion.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('says once that alerts are refused, and once that they are not any more', () => {
  const told: string[] = [];
  const congestion = new Congestion((reason) => told.push(reason));
  for (let second = 0; second < 60; second++) {
    for (let each = 0; each < 100; each++) congestion.refused();
    vi.advanceTimersByTime(1_000);
  }
  expect(told).toEqual(['events are refused, because too many are being handled']);
  vi.advanceTimersByTime(20_000);
  expect(told.slice(1)).toEqual(['']);
  congestion.refused();
  expect(told).toHaveLength(3);
  vi.advanceTimersByTime(20_000);
  expect(vi.getTimerCount()).toBe(0);
});

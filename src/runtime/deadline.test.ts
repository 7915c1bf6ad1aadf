import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startDeadline } from './deadline.ts';

describe('startDeadline', () => {
  it('ends when the time is over', async () => {
    const { signal } = startDeadline(new AbortController().signal, 10);
    expect(signal.aborted).toBe(false);
    await sleep(50);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('ends with the outer signal, for its reason', () => {
    const outer = new AbortController();
    const { signal, end } = startDeadline(outer.signal, 60_000);
    outer.abort('stopped');
    end();
    expect(signal.reason).toBe('stopped');
  });

  it('has ended when the outer signal has', () => {
    const { signal, end } = startDeadline(AbortSignal.abort('stopped'), 60_000);
    end();
    expect(signal.reason).toBe('stopped');
  });

  it('leaves nothing on the outer signal, and does not end later, once it is ended', async () => {
    const outer = new AbortController();
    const deadlines = Array.from({ length: 200 }, () => startDeadline(outer.signal, 10));
    for (const { end } of deadlines) end();
    expect(getEventListeners(outer.signal, 'abort')).toEqual([]);
    const own = Object.getOwnPropertySymbols(outer.signal).map((symbol) => Reflect.get(outer.signal, symbol));
    expect(own.some((value) => value instanceof Set && value.size > 0)).toBe(false);
    await sleep(30);
    outer.abort();
    expect(deadlines.some(({ signal }) => signal.aborted)).toBe(false);
  });
});

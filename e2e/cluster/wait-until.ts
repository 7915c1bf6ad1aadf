import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until the condition gives something other than undefined and false, and returns it. The error says what was
 * waited for, and `describe` may add what was seen instead.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { timeout = 15_000, interval = 25, describe = () => '' }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}\n${describe()}`.trimEnd());
    await sleep(interval);
  }
}

export interface WaitOptions {
  /** Milliseconds until it is given up. */
  readonly timeout?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
  readonly describe?: () => string;
}

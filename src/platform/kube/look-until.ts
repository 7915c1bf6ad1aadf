import { setTimeout as sleep } from 'node:timers/promises';
import { DoorError } from '../../model/door-error.ts';

/** Milliseconds between two looks at most, and how many there are at least. */
const BETWEEN = 300;
const LOOKS = 10;

/**
 * Looks again and again until there is something to be found; undefined when the time is over before. An API server that is busy
 * or away for a moment is looked at again; when it is so to the end, that is the error.
 *
 * @param within milliseconds
 */
export async function lookUntil<T>(
  look: () => Promise<T | undefined>,
  within: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const end = performance.now() + within;
  const between = Math.min(BETWEEN, within / LOOKS);
  for (;;) {
    const isLast = performance.now() >= end;
    const found = await look().catch((error: unknown) => {
      if (isLast || !mayPass(error)) throw error;
    });
    if (found !== undefined || isLast) return found ?? undefined;
    await sleep(between, undefined, { signal });
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof DoorError && (error.code === 'busy' || error.code === 'unreachable');
}

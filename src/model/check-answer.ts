import type { HttpAnswer } from './capability.ts';
import { DoorError } from './door-error.ts';

const TAKEN = new Set([200, 201, 202, 204]);

/** Falco Talon's words. */
const REASONS: Readonly<Record<number, string>> = {
  401: 'authentication error',
  403: 'access denied',
  404: 'resource not found',
  422: 'wrong request',
  429: 'exceeding post rate limit',
};

/** UTF-16 units of an error text that come from the other side. */
const LONGEST_REASON = 1_000;

/**
 * Whether an endpoint took what it was sent.
 *
 * @throws DoorError with Falco Talon's text if not: `busy` where another try may help, else `refused`
 */
export function checkAnswer({ status, statusLine, body, retryAfterMs }: HttpAnswer): void {
  if (TAKEN.has(status)) return;
  const text = status === 400 ? `header missing: ${body.trim().slice(0, LONGEST_REASON)}` : REASONS[status];
  throw new DoorError(isBusy(status) ? 'busy' : 'refused', text ?? statusLine, { retryAfterMs });
}

/** Whether the same request may be taken later. */
export function isBusy(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

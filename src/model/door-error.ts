import type { FailureCode } from './outcome.ts';

export interface DoorErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
}

/**
 * A door that did not open, or what is behind it said no. Adapters throw nothing else for a fault of the outside world;
 * the message is for people, holds no secret and is Falco Talon's where that is fixed.
 */
export class DoorError extends Error {
  readonly code: FailureCode;
  /** Milliseconds after which the other side wants to be asked again, where it says so (`busy`). */
  readonly retryAfterMs?: number;
  constructor(code: FailureCode, message: string, { retryAfterMs, ...options }: DoorErrorOptions = {}) {
    super(message, options);
    this.code = code;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    this.name = 'DoorError';
  }
}

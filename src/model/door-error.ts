import type { FailureCode } from './outcome.ts';

export interface DoorErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly replaced?: boolean;
}

/**
 * A door that did not open, or what is behind it said no. Adapters throw nothing else for a fault of the outside world;
 * the message is for people, holds no secret and is Falco Talon's where that is fixed.
 */
export class DoorError extends Error {
  readonly code: FailureCode;
  /** Milliseconds after which the other side wants to be asked again, where it says so (`busy`). */
  readonly retryAfterMs?: number;
  /** Another object of the same name has taken the place of the one that was meant. */
  readonly replaced: boolean;
  constructor(
    code: FailureCode,
    message: string,
    { retryAfterMs, replaced = false, ...options }: DoorErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.replaced = replaced;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    this.name = 'DoorError';
  }

  /** Whether the very object that was meant does not exist any more. */
  get gone(): boolean {
    return this.code === 'not-found' || this.replaced;
  }
}

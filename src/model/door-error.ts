import type { FailureCode, Objects } from './outcome.ts';

export interface DoorErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly replaced?: boolean;
  readonly objects?: Objects;
  readonly unasked?: boolean;
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
  /** Nothing was asked of the other side, and so nothing can have happened. */
  readonly unasked: boolean;
  /** What was acted on, where a plug-in fails by its own judgement. What a door failed of, it knows itself. */
  readonly objects?: Objects;
  constructor(
    code: FailureCode,
    message: string,
    { retryAfterMs, replaced = false, unasked = false, objects, ...options }: DoorErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.replaced = replaced;
    this.unasked = unasked;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (objects !== undefined) this.objects = objects;
    this.name = 'DoorError';
  }

  /** Whether the very object that was meant does not exist any more. */
  get gone(): boolean {
    return this.code === 'not-found' || this.replaced;
  }
}

/**
 * Why a door failed, for plug-ins: in the sandbox an error of a door is not a DoorError any more, but has its code. Undefined for
 * any other error.
 */
export function codeOf(error: unknown): FailureCode | undefined {
  return error instanceof Error && 'code' in error ? (error.code as FailureCode) : undefined;
}

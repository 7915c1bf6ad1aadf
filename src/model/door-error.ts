import type { FailureCode } from './outcome.ts';

/**
 * A door that did not open, or what is behind it said no. Adapters throw nothing else for a fault of the outside world;
 * the message is for people, holds no secret and is Falco Talon's where that is fixed.
 */
export class DoorError extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = 'DoorError';
  }
}

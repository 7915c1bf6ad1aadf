import type { FailureCode } from '../../model/outcome.ts';

/**
 * What crosses between the main thread and the thread of the sandbox. What plug-in code said stands in it as JSON text that
 * only the main thread reads; the step is the host's word, never the plug-in's.
 */
export type ToSandbox =
  | ({ readonly kind: 'start'; readonly step: number; readonly plugin: string } & StepTexts)
  | { readonly kind: 'answer'; readonly step: number; readonly call: number; readonly answer: string }
  | { readonly kind: 'abort'; readonly step: number }
  | { readonly kind: 'ping'; readonly number: number };

export type FromSandbox =
  | { readonly kind: 'ready' }
  | { readonly kind: 'pong'; readonly number: number }
  /** One turn of a step: the doors that it asked for, and its end if it came to one. */
  | { readonly kind: 'turn'; readonly step: number; readonly calls: readonly DoorCall[]; readonly end?: string }
  /** The host ended the step. */
  | { readonly kind: 'cut'; readonly step: number; readonly code: 'limit' | 'bug'; readonly reason: string };

/** A call of a door, numbered by the plug-in's side. `given` is the JSON text of the list of arguments. */
export interface DoorCall {
  readonly call: number;
  readonly door: string;
  readonly given: string;
}

/** What a context is given, as JSON. */
export interface StepTexts {
  /** A {@link StepInput}. */
  readonly input: string;
  /** The alert: all keys of a FalcoEvent, numbers as they were spelled. It comes into the context when the code asks for it. */
  readonly event: string;
}

/** What the code in a context gets at its start. */
export interface StepInput {
  /** What the code is called with, beside its doors. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly uses: readonly string[];
  /** The clock of the plug-in stands still at this moment: milliseconds since 1970. */
  readonly now: number;
  /** 32 bits from which its random numbers come. */
  readonly seed: number;
}

/** The answer to a call, as JSON. */
export type CallAnswer =
  | { readonly call: number; readonly value?: unknown }
  | { readonly call: number; readonly error: string; readonly code?: FailureCode };

/**
 * How the code ended, as JSON: with a result (of whatever shape), or with an error. `call` is the call whose failure it
 * ended with; `code` and `objects` what a DoorError of the plug-in itself claims.
 */
export type GuestEnd =
  | { readonly result: unknown }
  | {
      readonly error: string;
      readonly call?: number;
      readonly code?: string;
      readonly objects?: unknown;
      readonly retryAfterMs?: unknown;
      readonly limit?: true;
    };

/** What the code in a context says, as JSON. */
export type GuestMessage =
  | ({ readonly kind: 'call' } & DoorCall)
  | { readonly kind: 'end' /** JSON of a {@link GuestEnd}. */; readonly end: string };

/** What a step may use. The main thread and the host count alike, so that neither has to rely on the other. */
export interface StepLimits {
  /** Calls that are open at once; more wait. */
  readonly openCalls: number;
  readonly waitingCalls: number;
  readonly calls: number;
  /** UTF-16 units of one message. */
  readonly message: number;
  /** UTF-16 units of all calls that have no answer yet. */
  readonly outstanding: number;
  /** UTF-16 units of all answers of a step together. */
  readonly answered: number;
}
export const STEP_LIMITS: StepLimits = {
  openCalls: 16,
  waitingCalls: 1_000,
  calls: 10_000,
  message: 1 << 20,
  outstanding: 4 << 20,
  answered: 64 << 20,
};

/** The name under which a plug-in's `sleep` asks for its door. */
export const SLEEP = 'sleep';

import type { JsonObject, JsonValue } from './json-value.ts';

/**
 * A Falco alert after decoding. Field names are Falco's own. Absent texts are empty, an absent or empty `source` is
 * `syscall`, `output` has lost its time and priority prefix. Keys that Talon does not know are gone, and so is a
 * `context` that the sender supplied: it could forge what the actions see.
 */
export interface FalcoEvent {
  readonly output: string;
  readonly priority: string;
  readonly rule: string;
  readonly hostname: string;
  /** As sent (RFC 3339), or empty. */
  readonly time: string;
  readonly source: string;
  readonly output_fields: JsonObject | null;
  readonly tags: readonly JsonValue[] | null;
}

/** Why a body is no alert. The numbers are those of the policy module's error results. */
export const EVENT_ERRORS = {
  1: 'invalid JSON',
  2: 'a field has the wrong type',
  3: 'nested too deeply',
  4: 'not enough memory',
  5: 'empty body',
  6: 'unknown entrypoint',
} as const;

export type EventErrorCode = keyof typeof EVENT_ERRORS;

/** What is wrong with a body, and the byte offset where it was noticed. */
export interface EventError {
  readonly ok: false;
  readonly code: EventErrorCode;
  readonly offset: number;
}

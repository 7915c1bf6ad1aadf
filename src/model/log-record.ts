import type { Objects } from './outcome.ts';

export type LogLevel = 'info' | 'warn' | 'error' | 'fatal';

/**
 * The fields that Falco Talon's log lines know, in the order in which its JSON lines show them. `event` is the name of the
 * Falco rule in the lines `event` and `match`, and the output text of the alert in the line `action`.
 */
export const LOG_FIELDS = [
  'rule',
  'event',
  'priority',
  'source',
  'notifier',
  'context',
  'output',
  'stage',
  'actionner',
  'category',
  'output_target',
  'action',
  'status',
  'result',
  'trace_id',
  'error',
] as const;

export type LogField = (typeof LOG_FIELDS)[number];

/** What one log line says. Shaped into a line by `formatLogLine`. */
export interface LogRecord {
  readonly level: LogLevel;
  /** Names the step: `event`, `match`, `action`, `init`, `rules`, ... Falco Talon's lines begin with it. */
  readonly message: string;
  /** Absent and empty ones are left out of the line. */
  readonly fields?: Readonly<Partial<Record<LogField, string | undefined>>>;
  /** Facts about what was acted on; they stand beside the fields, with their keys in lower case, also when empty. */
  readonly objects?: Objects;
}

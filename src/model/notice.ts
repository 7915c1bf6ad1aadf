import type { Objects } from './outcome.ts';

/**
 * What notifiers are told about the end of an action or of its output. The keys, and their order, are those of Falco Talon's
 * webhook; those that say nothing are left out.
 */
export interface Notice {
  /** RFC 3339, in UTC, with milliseconds: when it happened. Falco Talon's webhook leaves it out, and so does ours. */
  readonly time: string;
  /** Keys begin with a capital: `Pod`, `Namespace`. */
  readonly objects?: Objects;
  readonly trace_id: string;
  /** Name of the Talon rule. */
  readonly rule: string;
  /** The output text of the alert; of an action only. */
  readonly event?: string;
  /** The stage. */
  readonly message: 'action' | 'output';
  /** Why nothing was done (`ignored`, `denied`, `parked`). */
  readonly result?: string;
  /** What was done. */
  readonly output?: string;
  /** Category of the output, such as `aws`. */
  readonly category?: string;
  /** Id of the output. */
  readonly output_target?: string;
  readonly actionner: string;
  readonly action: string;
  readonly error?: string;
  readonly status: NoticeStatus;
}

export type NoticeStatus = 'success' | 'failure' | 'ignored' | 'denied' | 'parked';

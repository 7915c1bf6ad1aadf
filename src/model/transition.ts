import type { Objects, Outcome } from './outcome.ts';

/** What the records about an alert say of it. `rule` is the Falco rule. */
export interface AlertHead {
  readonly rule: string;
  readonly priority: string;
  readonly source: string;
  /** Without the time and priority that Falco puts before it. */
  readonly output: string;
  /** 32 lower-case hex digits. */
  readonly trace_id: string;
}

/** One action of one matched rule, run for one alert. */
export interface StepHead {
  readonly alert: AlertHead;
  /** Name of the Talon rule. */
  readonly rule: string;
  readonly action: string;
  /** Id of the actionner, `category:name`. */
  readonly actionner: string;
}

/** Why a request was not taken, as the label of its metric says it. */
export type Refusal = 'method' | 'body' | 'too_large' | 'timeout' | 'malformed_request' | 'full';

/**
 * Everything that happens to an alert, told once. Log line, metric, and whatever else reports, are made from the same record,
 * so that they cannot disagree.
 *
 * - `event`: the alert as such; where it is logged depends on `print_all_events`
 * - `duplicate`: the same alert was taken within the window; nothing is run for this one
 * - `match`: a rule applies
 * - `dry_run`: the action would run now
 * - `denied`: the guard stopped the action
 * - `check_failed`: the alert or the rule lacks what the action needs; nothing was tried
 * - `started`, `ended`: the action itself
 * - `crashed`: a fault of ours; the rest of the alert is abandoned
 * - `refused`: a request that was not taken as an alert
 * - `fault`: a request that a fault of ours kept from an answer
 */
export type Transition =
  | { readonly kind: 'event'; readonly alert: AlertHead }
  | { readonly kind: 'duplicate'; readonly alert: AlertHead }
  | { readonly kind: 'match'; readonly alert: AlertHead; readonly rule: string }
  | { readonly kind: 'dry_run'; readonly step: StepHead }
  | { readonly kind: 'denied'; readonly step: StepHead; readonly reason: string }
  | { readonly kind: 'check_failed'; readonly step: StepHead; readonly error: string; readonly objects: Objects }
  | { readonly kind: 'started'; readonly step: StepHead }
  | { readonly kind: 'ended'; readonly step: StepHead; readonly outcome: Outcome }
  | { readonly kind: 'crashed'; readonly alert: AlertHead; readonly error: string; readonly rule?: string }
  | { readonly kind: 'refused'; readonly reason: Refusal }
  | { readonly kind: 'fault'; readonly error: string };

/** Where the runtime tells what happens. Nothing of it may throw. */
export interface Telemetry {
  emit(transition: Transition): void;
  /** Counts one accepted alert, duplicates included: apart from `emit`, because it is the one thing done for every alert. */
  accepted(rule: string, priority: string, source: string): void;
}

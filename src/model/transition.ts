import type { ClosedState, Stored } from './journal.ts';
import type { Notice } from './notice.ts';
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
export type Refusal =
  | 'method'
  | 'body'
  | 'too_large'
  | 'timeout'
  | 'malformed_request'
  | 'full'
  | 'not_stored'
  | 'unauthorized'
  | 'not_found'
  | 'rate';

/**
 * Everything that happens to an alert, told once. Log line, metric, and whatever else reports, are made from the same record,
 * so that they cannot disagree.
 *
 * - `event`: the alert as such; where it is logged depends on `print_all_events`
 * - `duplicate`: the same alert was taken within the window; nothing is run for this one
 * - `match`: a rule applies
 * - `dry_run`: the action would run now
 * - `denied`: a guard stopped the action
 * - `parked`: a guard could not decide, or a budget is spent; the plan waits for an operator
 * - `monitored`: a guard that only watches would have stopped the action
 * - `check_failed`: the alert or the rule lacks what the action needs; nothing was tried
 * - `started`, `ended`: the action itself; a try of it that is followed by another one is `retrying`
 * - `stored`: its output took the artifact, or did not
 * - `context_failed`: something that an action wanted to know of its surroundings could not be had
 * - `notified`: a notifier took a notice, or did not: then it is tried again, given up, or dropped because too many wait
 * - `resumed`: the plan goes on after a restart, or because an operator wants it to
 * - `closed`: the plan is over, otherwise than done
 * - `breaker`: an API does not answer, or does again; actions that need it wait meanwhile
 * - `reloaded`: other rules and policies act from now on, or were refused
 * - `degraded`: something does not work as it should, or does again (empty `reason`)
 * - `crashed`: a fault of ours; the rest of the alert is abandoned
 * - `refused`: a request that was not taken as an alert
 * - `turned_away`: so many senders had no right to be heard, the last of them at this address; told now and then
 * - `fault`: a request that a fault of ours kept from an answer
 */
export type Transition =
  | { readonly kind: 'event'; readonly alert: AlertHead }
  | { readonly kind: 'duplicate'; readonly alert: AlertHead }
  | { readonly kind: 'match'; readonly alert: AlertHead; readonly rule: string }
  | { readonly kind: 'dry_run'; readonly step: StepHead }
  | {
      readonly kind: 'denied' | 'parked' | 'monitored';
      readonly step: StepHead;
      readonly policy: string;
      readonly reason: string;
      readonly objects: Objects;
    }
  | { readonly kind: 'check_failed'; readonly step: StepHead; readonly error: string; readonly objects: Objects }
  | { readonly kind: 'started'; readonly step: StepHead }
  | {
      readonly kind: 'retrying';
      readonly step: StepHead;
      readonly attempt: number;
      readonly error: string;
      readonly wait: number;
    }
  | { readonly kind: 'ended'; readonly step: StepHead; readonly outcome: Outcome }
  | { readonly kind: 'stored'; readonly step: StepHead; readonly stored: Stored }
  | { readonly kind: 'context_failed'; readonly step: StepHead; readonly context: string; readonly error: string }
  | {
      readonly kind: 'notified';
      readonly notifier: string;
      readonly notice: Notice;
      readonly outcome: 'sent' | 'retrying' | 'dead' | 'dropped';
      /** Number of the try, from 1; 0: it was not tried. */
      readonly attempt: number;
      /** Absent when it was sent. */
      readonly error?: string;
      /** Milliseconds until the next try. */
      readonly wait?: number;
    }
  | { readonly kind: 'resumed'; readonly alert: AlertHead; readonly id: number }
  | {
      readonly kind: 'closed';
      readonly alert: AlertHead;
      readonly id: number;
      readonly state: ClosedState;
      readonly reason: string;
    }
  | { readonly kind: 'breaker'; readonly api: string; readonly open: boolean }
  | { readonly kind: 'reloaded'; readonly ok: boolean; readonly result: string }
  | { readonly kind: 'degraded'; readonly part: string; readonly reason: string }
  | { readonly kind: 'crashed'; readonly alert: AlertHead; readonly error: string; readonly rule?: string }
  | { readonly kind: 'refused'; readonly reason: Refusal }
  | {
      readonly kind: 'turned_away';
      readonly reason: Refusal;
      readonly times: number;
      readonly address: string;
    }
  | { readonly kind: 'fault'; readonly error: string };

/** Where the runtime tells what happens. Nothing of it may throw. */
export interface Telemetry {
  emit(transition: Transition): void;
  /** Counts one accepted alert, duplicates included: apart from `emit`, because it is the one thing done for every alert. */
  accepted(rule: string, priority: string, source: string): void;
}

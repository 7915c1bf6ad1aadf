import type { GuardPolicy } from './guard-policy.ts';
import type { Notice } from './notice.ts';
import type { Artifact, FailureCode, Outcome, StepEnd } from './outcome.ts';
import type { PlannedRule } from './rule.ts';
import type { PodTarget } from './targets.ts';

/** An alert for which rules matched, as it is kept until its plan has ended, and afterwards as history. */
export interface AcceptedAlert {
  /** Counts up; given by `Journal.newId`. The order of alerts is the order of these numbers. */
  readonly id: number;
  /** Milliseconds since 1970 when it came in. */
  readonly at: number;
  /** What a repeat of it has in common with it (`dedupKey`). */
  readonly key: string;
  /** Revision of the bundle that made the plan. */
  readonly revision: string;
  /** Indices of the matched rules in that bundle, in order. The steps of a plan are their actions, counted through from 0. */
  readonly rules: readonly number[];
  readonly traceId: string;
  /** The alert as it came in, valid UTF-8. */
  readonly body: Uint8Array;
}

/**
 * What happens to a plan, in order. `call` is a digest of door and arguments.
 *
 * - `started`: a try of the step begins; on this pod, if guards have looked it up
 * - `began`: an effect is about to be made; recorded beforehand only where it must not be made twice
 * - `answered`: an effect was made, with the answer that the adapter gave; or with `read`, what was looked up before an
 *   effect, so that the step finds the same again when it goes on
 * - `failed`: an effect was not made, or nobody knows; `code` tells
 * - `retrying`: a try failed and there will be another one
 * - `reserved`: the step has taken these budgets, from now on and for as long as their windows last
 * - `acted`: the action is done, and its artifact, made at that moment (milliseconds since 1970), is to be stored
 * - `ended`: the step is over and is never run again, unless it failed or was stopped and an operator says `retry`
 * - `reopened`: an operator wants the steps that failed or were stopped to be run again; with `allow` also where a guard would
 *   park them once more, but not where it denies them
 */
export type Progress =
  | { readonly kind: 'started'; readonly step: number; readonly attempt: number; readonly pod?: PodTarget }
  | { readonly kind: 'began'; readonly step: number; readonly call: string; readonly door: string }
  | {
      readonly kind: 'answered';
      readonly step: number;
      readonly call: string;
      readonly door: string;
      readonly answer: unknown;
      readonly read?: true;
    }
  | {
      readonly kind: 'failed';
      readonly step: number;
      readonly call: string;
      readonly door: string;
      readonly code: FailureCode;
    }
  | { readonly kind: 'retrying'; readonly step: number; readonly attempt: number; readonly error: string }
  | { readonly kind: 'reserved'; readonly step: number; readonly budgets: readonly string[] }
  | { readonly kind: 'acted'; readonly step: number; readonly outcome: Acted; readonly made: number }
  | { readonly kind: 'ended'; readonly step: number; readonly end: StepEnd; readonly stored?: Stored }
  | { readonly kind: 'reopened'; readonly allow?: true };

/** An action that was done and has an artifact for its output. */
export type Acted = Extract<Outcome, { status: 'success' }> & { readonly artifact: Artifact };

/** What became of an artifact: how the output ended, and what the artifact was. */
export interface Stored {
  /** Id of the output. */
  readonly output: string;
  readonly outcome: Outcome;
  readonly artifact?: Artifact;
}

/** Progress with the moment at which it was recorded (milliseconds since 1970). */
export type DatedProgress = Progress & { readonly at: number };

/**
 * - `done`: every step that was to run has run
 * - `failed`: the same, and the last try of at least one failed or was denied
 * - `parked`: a guard stopped it until an operator decides
 * - `dead`: it cannot be run at all: its bundle or its alert cannot be read, or it ends the server again and again
 * - `dropped`: an operator gave it up
 */
export type ClosedState = 'done' | 'failed' | 'parked' | 'dead' | 'dropped';
export type PlanState = 'open' | ClosedState;

/** How a plan ended, and why, where it is not `done`. */
export interface Conclusion {
  readonly state: ClosedState;
  readonly reason: string;
}

/** A plan that is to be gone on with. */
export interface OpenPlan {
  readonly alert: AcceptedAlert;
  readonly progress: readonly DatedProgress[];
}

/** A notice that waits for being sent, or whose sending was given up: where it stands, without what it says. */
export interface PendingNotice {
  /** Counts up; given by `Journal.newNoticeId`. The order of notices is the order of these numbers. */
  readonly id: number;
  readonly alert: number;
  readonly step: number;
  /** Id of the notifier. */
  readonly notifier: string;
  /** Milliseconds since 1970 when it was recorded. */
  readonly at: number;
  /** Tries that failed. */
  readonly attempts: number;
  /** Milliseconds since 1970 before which it is not tried. */
  readonly nextAt: number;
}

/** A notice to one notifier. It is recorded with the end that it tells of, and sent afterwards. */
export interface QueuedNotice extends PendingNotice {
  readonly notice: Notice;
  /** Why the last try failed. */
  readonly error?: string;
}

/**
 * What became of a try to send a notice. What was sent is kept no longer; what is dead is kept as long as plans are, and sent
 * once more only on the word of an operator.
 */
export type NoticeResult =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly attempts: number; readonly nextAt: number; readonly error: string }
  | { readonly kind: 'dead'; readonly attempts: number; readonly error: string };

/** What plans need of the bundle that made them: kept as long as one of its plans is there. */
export interface StoredPolicy {
  readonly revision: string;
  readonly rules: readonly PlannedRule[];
  readonly guards: readonly GuardPolicy[];
}

/** When a budget was used: the key names budget and values, as `reserved` has it. */
export interface BudgetUse {
  readonly key: string;
  readonly at: number;
  readonly alert: number;
  readonly step: number;
}

/**
 * The durable record of accepted alerts and of what became of them. Everything that is handed over in one turn of the event
 * loop is written in one transaction; nothing counts as recorded before that is on disk.
 */
export interface Journal {
  /** The id for the next alert. */
  newId(): number;
  /** Whether another alert of that many bytes may be handed over now. */
  hasRoom(bytes: number): boolean;
  /**
   * Records an alert. The callback is called once, in a later turn: with false when it could not be written; then nothing of
   * it is kept. A callback and no promise, because this is on the way of every matched alert.
   */
  accept(alert: AcceptedAlert, recorded: (stored: boolean) => void): void;
  /**
   * Records progress of a plan; resolves when that is on disk. Tried again for as long as the disk is full or fails, so that
   * the plan waits; rejects only when the journal is closed. With a conclusion the plan ends with it, in the same transaction,
   * in which the notices are put down, too: they are to be sent from then on, by whoever is alive.
   */
  append(alert: number, progress: Progress, conclusion?: Conclusion, notices?: readonly QueuedNotice[]): Promise<void>;
  /** Records the end of a plan alone. As `append`. */
  close(alert: number, conclusion: Conclusion): Promise<void>;
  /** Keeps a bundle's part; to be called before an alert of its revision is accepted. As `append`. */
  keepPolicy(policy: StoredPolicy): Promise<void>;
  policy(revision: string): Promise<StoredPolicy | undefined>;
  /** The plans that are open, by their ids. */
  openPlans(): Promise<readonly OpenPlan[]>;
  /** Keys of alerts accepted since then (milliseconds since 1970), oldest first. */
  acceptedSince(at: number): Promise<readonly { readonly key: string; readonly at: number }[]>;
  budgetsUsedSince(at: number): Promise<readonly BudgetUse[]>;
  /** The id for the next notice. */
  newNoticeId(): number;
  /** The notices that are neither sent nor dead, by their ids. */
  openNotices(): Promise<readonly PendingNotice[]>;
  /** All of one of them; undefined when it is there no more. */
  notice(id: number): Promise<QueuedNotice | undefined>;
  /** Records what became of a try to send a notice. As `append`; nothing happens when it is there no more. */
  settleNotice(id: number, result: NoticeResult): Promise<void>;
  /**
   * Tells which dead notices operators want to be sent again (`talon journal resend`), from the answer of `openNotices` on,
   * which has those of before. To be called before that.
   */
  onResent(listener: (notices: readonly PendingNotice[]) => void): void;
  /**
   * Tells which closed plans operators reopen (`talon journal retry`) from another process, from the answer of `openPlans` on,
   * which has those that were reopened before. To be called before that.
   */
  onReopened(listener: (plan: OpenPlan) => void): void;
  /** Tells whether records can be written: false from the first failure until the next success. */
  onHealth(listener: (writable: boolean, reason: string) => void): void;
  /** Writes what was handed over, and ends the thread. */
  end(): Promise<void>;
}

import type { BudgetUse, OpenPlan, PendingNotice, PlanState, QueuedNotice, StoredPolicy } from '../../model/journal.ts';

// What the journal and its thread say to each other.

/** The file, and how much of it is kept. */
export interface ThreadOptions {
  readonly file: string;
  readonly retentionHours: number;
  readonly maxBytes: number;
}

/** What the thread gets at its start. */
export interface ThreadStart extends ThreadOptions {
  /** Alerts that a thread before it may have written or not, and which were refused. */
  readonly forget: readonly number[];
}

/** A plan that had failed, was parked or dead, and was dropped because it was too old, or the file too large. */
export interface DroppedPlan {
  readonly id: number;
  readonly state: PlanState;
  readonly because: 'age' | 'size';
}

/** What people may want to read in the log. */
export type JournalNotice =
  | { readonly kind: 'dropped'; readonly plans: readonly DroppedPlan[] }
  /** Something did not work that is tried again. */
  | { readonly kind: 'trouble'; readonly text: string };

/** What can be asked, with the argument and the answer. */
export interface Questions {
  readonly policy: { readonly argument: string; readonly answer: StoredPolicy | undefined };
  readonly openPlans: { readonly argument: undefined; readonly answer: readonly OpenPlan[] };
  readonly acceptedSince: {
    readonly argument: number;
    readonly answer: readonly { readonly key: string; readonly at: number }[];
  };
  readonly openNotices: { readonly argument: undefined; readonly answer: readonly PendingNotice[] };
  readonly notice: { readonly argument: number; readonly answer: QueuedNotice | undefined };
  readonly budgetsUsedSince: { readonly argument: number; readonly answer: readonly BudgetUse[] };
}

export type ToThread =
  | {
      readonly kind: 'batch';
      readonly buffer: ArrayBuffer;
      /** How many alerts are in the buffer, and how many entries behind them. None of either: only tries whether writing works. */
      readonly alerts: number;
      readonly entries: number;
    }
  | { readonly kind: 'ask'; readonly id: number; readonly question: keyof Questions; readonly argument: unknown }
  | { readonly kind: 'end' };

export type FromThread =
  | { readonly kind: 'opened'; readonly nextId: number; readonly nextSeq: number; readonly nextNotice: number }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'written';
      /** Comes back for the next batch. */
      readonly buffer: ArrayBuffer;
      /** Whether the alerts are on disk, and whether the entries are. */
      readonly alerts: boolean;
      readonly entries: boolean;
      /** Why not. */
      readonly error: string;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'unanswered'; readonly id: number; readonly error: string }
  | { readonly kind: 'reopened'; readonly plans: readonly OpenPlan[]; readonly nextSeq: number }
  | { readonly kind: 'resent'; readonly notices: readonly PendingNotice[] }
  | { readonly kind: 'notice'; readonly notice: JournalNotice };

import type { Actionner } from '../model/definition.ts';
import type { PodTarget } from '../model/doors.ts';
import type { GuardPolicy } from '../model/guard-policy.ts';
import type { TargetLookups } from '../model/target-facts.ts';
import type { Budgets } from './budgets.ts';
import type { Step } from './enrich.ts';

/** A step about to be tried. */
export interface GuardedStep {
  readonly step: Step;
  /** Id of the alert in the journal. */
  readonly alert: number;
  /** Number of the step in its plan. */
  readonly number: number;
  readonly actionner: Actionner;
  /** Ends lookups. */
  readonly signal: AbortSignal;
}

/** What a policy has against a step. The reason is a fixed text of the policy or of ours: it holds nothing of the alert. */
export interface Finding {
  readonly policy: string;
  readonly reason: string;
}

/**
 * What the guard says of a step: run it, say what it would do, or stop it, for good or until an operator decides.
 *
 * - `pod`: the pod that was looked up, with its UID, so that the action meets no other one of that name
 * - `budgets`: what is reserved for the step; to be recorded before it runs
 * - `monitored`: what policies would have stopped that only watch
 */
export type Verdict =
  | {
      readonly kind: 'allow';
      readonly pod?: PodTarget;
      readonly budgets: readonly string[];
      readonly monitored: readonly Finding[];
    }
  | { readonly kind: 'dry_run' }
  | {
      readonly kind: 'denied' | 'parked';
      readonly policy: string;
      readonly reason: string;
      readonly monitored: readonly Finding[];
    };

/**
 * Stage: may stop any step. No action is tried without its word, and none is tried again without it.
 *
 * @throws DoorError when what policies ask about the target cannot be looked up: `not-found`, `unreachable`, `busy`
 */
export type Guard = (step: GuardedStep) => Promise<Verdict>;

export interface GuardOptions {
  readonly policies: readonly GuardPolicy[];
  readonly budgets: Budgets;
  readonly lookups: TargetLookups;
  /** Whether all rules are dry runs. */
  readonly dryRun: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The guard for some policies. Dry runs, that of a rule and that of the whole server, come before all of them. */
export function createGuard({ dryRun }: GuardOptions): Guard {
  return async ({ step }) => {
    if (dryRun || step.rule.dry_run) return { kind: 'dry_run' };
    return { kind: 'allow', budgets: [], monitored: [] };
  };
}

import { ConditionEvent } from '../../model/condition-event.ts';
import type { Actionner } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';
import {
  GuardAction,
  GuardCounts,
  GuardRule,
  GuardTarget,
  type GuardVariables,
  type TargetFacts,
  type TargetNames,
} from '../../model/guard-variables.ts';
import { mostFacts, type ParsedGuard, readGuard } from '../../model/parsed-guard.ts';
import type { TargetLookups } from '../../model/target-facts.ts';
import type { PodTarget } from '../../model/targets.ts';
import type { Step } from '../enrich.ts';
import type { Budgets } from './budgets.ts';
import { countsFor, limitsOf } from './guard-budgets.ts';
import { lookUpFacts, targetOf } from './guard-target.ts';

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
  /** An operator lets it go on where a guard cannot decide, or a budget is spent. What is denied stays denied. */
  readonly allowed?: boolean;
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
 * - `budgets`: what was reserved for the step now; to be recorded before it runs
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

/**
 * The guard for some policies. Dry runs, that of a rule and that of the whole server, come before all of them. All policies
 * that apply are looked at: those that enforce beat those that watch, and a denial beats what only parks.
 *
 * Bundles and files are checked when they are opened. Policies of plans that an earlier version made may have expressions that
 * this one refuses: those fail when they are asked, so that the plan is parked.
 */
export function createGuard({ policies, budgets, lookups, dryRun, now }: GuardOptions): Guard {
  const guards = policies.map(readGuard);
  return async (guarded) => {
    const { step, actionner } = guarded;
    if (dryRun || step.rule.dry_run) return { kind: 'dry_run' };
    const applying = guards.filter((guard) => guard.appliesTo(actionner));
    if (applying.length === 0) return { kind: 'allow', budgets: [], monitored: [] };
    const target = targetOf(actionner, step.event);
    const found = await factsFor(applying, guarded, target, lookups);
    return judge(found, { guarded, target, budgets, now: now() });
  };
}

interface FoundFacts {
  readonly facts: TargetFacts;
  /** The policies that can be asked. */
  readonly guards: readonly ParsedGuard[];
  /** Those that only watch, and whose facts could not be had. */
  readonly blind: readonly Finding[];
}

/** A lookup that only policies in monitor mode need stops nothing when it fails. */
async function factsFor(
  guards: readonly ParsedGuard[],
  { step: { event }, signal }: GuardedStep,
  target: TargetNames,
  lookups: TargetLookups,
): Promise<FoundFacts> {
  const needs = mostFacts(guards.map((guard) => guard.needs));
  const enforced = mostFacts(guards.filter(enforces).map((guard) => guard.needs));
  try {
    return { facts: await lookUpFacts(target, needs, event, lookups, signal), guards, blind: [] };
  } catch (error) {
    if (needs === enforced || !(error instanceof DoorError) || signal.aborted) throw error;
    const facts = await lookUpFacts(target, enforced, event, lookups, signal);
    const isBlind = (guard: ParsedGuard) => mostFacts([guard.needs, enforced]) !== enforced;
    const blind = guards.filter(isBlind).map(({ policy }) => ({
      policy: policy.policy,
      reason: 'what it asks about the target could not be looked up',
    }));
    return { facts, guards: guards.filter((guard) => !isBlind(guard)), blind };
  }
}

interface Case {
  readonly guarded: GuardedStep;
  readonly target: TargetNames;
  readonly budgets: Budgets;
  readonly now: number;
}

/** Decides, and reserves the budgets in the same turn, so that no other step comes in between. */
function judge({ facts, guards, blind }: FoundFacts, { guarded, target, budgets, now }: Case): Verdict {
  const { step, actionner, allowed = false } = guarded;
  const user = { alert: guarded.alert, step: guarded.number };
  const subject = { rule: step.rule.rule, actionner: actionner.id, target };
  const seen = {
    event: new ConditionEvent(step.event),
    rule: new GuardRule(step.rule.rule),
    action: new GuardAction(step.action.action, actionner, step.action.parameters),
    target: new GuardTarget(target, facts),
    now: new Date(now),
  };
  const objections = guards.flatMap((guard) => {
    const counts = new GuardCounts(countsFor(guard, subject, user, budgets, now));
    return objectionOf(guard, { ...seen, counts }) ?? [];
  });
  const watching = guards.filter((guard) => !enforces(guard)).flatMap((guard) => limitsOf(guard, subject));
  const spent = watching.filter((limit) => budgets.isSpent(user, limit, now));
  const monitored = [
    ...blind,
    ...objections.filter(({ guard }) => !enforces(guard)).map(findingOf),
    ...spent.map(({ policy, reason }) => ({ policy, reason })),
  ];
  const enforcing = objections.filter(({ guard }) => enforces(guard));
  const stop = enforcing.find(({ kind }) => kind === 'denied') ?? enforcing[0];
  if (stop && !(allowed && stop.kind === 'parked')) return { kind: stop.kind, ...findingOf(stop), monitored };
  const limits = [
    ...guards.filter(enforces).flatMap((guard) => limitsOf(guard, subject)),
    ...watching.filter((limit) => !spent.includes(limit)),
  ];
  const taken = limits.filter((limit) => !budgets.holds(user, limit, now)).map(({ key }) => key);
  const exhausted = budgets.reserve(user, limits, now, allowed ? 'beyond' : 'within');
  if (exhausted) return { kind: 'parked', policy: exhausted.policy, reason: exhausted.reason, monitored };
  return { kind: 'allow', ...podOf(facts), budgets: [...new Set(taken)], monitored };
}

function podOf({ pod }: TargetFacts): { readonly pod?: PodTarget } {
  return pod ? { pod: { kind: 'pod', namespace: pod.namespace, name: pod.name, uid: pod.uid } } : {};
}

function enforces({ policy }: ParsedGuard): boolean {
  return policy.mode !== 'monitor';
}

/** What a policy has against a step. */
interface Objection {
  readonly guard: ParsedGuard;
  readonly kind: 'denied' | 'parked';
  readonly reason: string;
}

function findingOf({ guard, reason }: Objection): Finding {
  return { policy: guard.policy.policy, reason };
}

/** The first denial that is true; else that one could not be evaluated. The error is left out: it may quote the alert. */
function objectionOf(guard: ParsedGuard, variables: GuardVariables): Objection | undefined {
  let failed: Objection | undefined;
  for (const [index, { expression, message }] of guard.denials.entries()) {
    try {
      if (expression.evaluate(variables)) return { guard, kind: 'denied', reason: message };
    } catch {
      failed ??= { guard, kind: 'parked', reason: `its denial ${index + 1} could not be evaluated` };
    }
  }
  return failed;
}

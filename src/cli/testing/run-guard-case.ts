import { decodeEvent } from '../../model/decode-event.ts';
import { DoorError } from '../../model/door-error.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';
import type { BudgetUse } from '../../model/journal.ts';
import { parseGuard } from '../../model/parsed-guard.ts';
import type { PlannedAction, PlannedRule } from '../../model/rule.ts';
import type { TargetLookups } from '../../model/target-facts.ts';
import { enrich } from '../../runtime/enrich.ts';
import { Budgets } from '../../runtime/guards/budgets.ts';
import { createGuard, type Verdict } from '../../runtime/guards/guard.ts';
import { limitsOf } from '../../runtime/guards/guard-budgets.ts';
import { targetOf } from '../../runtime/guards/guard-target.ts';
import { knownActionner } from './read-guarded-action.ts';
import type { EarlierUse, ExpectedVerdict, GuardedAction } from './test-file.ts';

/** What the guards say of an action, or why they cannot be asked. */
export type GuardAnswer = { readonly verdict: Exclude<Verdict, { kind: 'dry_run' }> } | { readonly problem: string };

/** Asks the guards about an action as the server would, with the facts of the case in place of the API server. */
export async function askGuards(
  policies: readonly GuardPolicy[],
  action: GuardedAction,
  alert: Uint8Array,
): Promise<GuardAnswer> {
  const decoded = decodeEvent(alert);
  if (!decoded.ok) return { problem: 'the alert is none' };
  const actionner = knownActionner(action.actionner);
  if (!actionner) return { problem: `no actionner \`${action.actionner}\`` };
  const { event } = decoded;
  const rule = plannedRule(action);
  const head = { rule: event.rule, priority: event.priority, source: event.source, output: event.output, trace_id: '' };
  const step = enrich(head, event, rule, rule.actions[0] as PlannedAction);
  try {
    const guard = createGuard({
      policies,
      budgets: new Budgets(usesBefore(policies, action, event)),
      lookups: lookupsOf(action),
      dryRun: false,
      now: () => action.now,
    });
    const verdict = await guard({ step, alert: 0, number: 0, actionner, signal: new AbortController().signal });
    return verdict.kind === 'dry_run' ? { problem: 'the rule is a dry run' } : { verdict };
  } catch (error) {
    if (error instanceof DoorError) return { problem: error.message };
    throw error;
  }
}

/** The names of the policies that are for an action. */
export function appliesTo(policies: readonly GuardPolicy[], { actionner: id }: GuardedAction): string[] {
  const actionner = knownActionner(id);
  if (!actionner) return [];
  const applying = policies.map(parseGuard).filter((guard) => guard.appliesTo(actionner));
  return applying.map(({ policy }) => policy.policy);
}

/** What differs between a verdict and the expected one, as sentences. */
export function compareVerdict(expected: ExpectedVerdict, verdict: Exclude<Verdict, { kind: 'dry_run' }>): string[] {
  const kind = verdict.kind === 'allow' ? 'allowed' : verdict.kind;
  const { policy, reason } = verdict.kind === 'allow' ? {} : verdict;
  const told = policy === undefined ? kind : `${kind} by \`${policy}\`: ${reason}`;
  const monitored = verdict.monitored.map((finding) => finding.policy);
  return [
    ...(expected.kind !== undefined && expected.kind !== kind ? [`expected ${expected.kind}, got ${told}`] : []),
    ...(expected.policy !== undefined && expected.policy !== policy
      ? [`expected a stop by \`${expected.policy}\`, got ${told}`]
      : []),
    ...(expected.reason !== undefined && !reason?.includes(expected.reason)
      ? [`expected a reason with \`${expected.reason}\`, got ${told}`]
      : []),
    ...(expected.monitored !== undefined && JSON.stringify(expected.monitored) !== JSON.stringify(monitored)
      ? [`expected monitored ${JSON.stringify(expected.monitored)}, got ${JSON.stringify(monitored)}`]
      : []),
  ];
}

function plannedRule({ rule, action, actionner, parameters }: GuardedAction): PlannedRule {
  const planned: PlannedAction = {
    action,
    actionner,
    parameters,
    description: '',
    continue: true,
    ignore_errors: false,
    additional_contexts: [],
    output: null,
    written: {},
  };
  return {
    rule,
    description: '',
    continue: true,
    dry_run: false,
    notifiers: [],
    actions: [planned],
    written: {},
  };
}

function lookupsOf({ pod, node }: GuardedAction): TargetLookups {
  return {
    pod: async ({ namespace, name }) => ({ namespace, name, ...pod }),
    node: async () => node,
  };
}

/** The uses of budgets that earlier actions made, each one an alert of its own. */
function usesBefore(policies: readonly GuardPolicy[], action: GuardedAction, event: FalcoEvent): BudgetUse[] {
  const uses: BudgetUse[] = [];
  for (const use of action.used) {
    const keys = keysOf(policies, action, use, event);
    for (let time = 0; time < use.times; time++) {
      const alert = -1 - uses.length;
      uses.push(...keys.map((key) => ({ key, at: action.now - use.ago * 1000, alert, step: 0 })));
    }
  }
  return uses;
}

function keysOf(
  policies: readonly GuardPolicy[],
  action: GuardedAction,
  use: EarlierUse,
  event: FalcoEvent,
): readonly string[] {
  const actionner = knownActionner(use.actionner ?? action.actionner);
  if (!actionner) return [];
  const names = targetOf(actionner, event);
  const target = { ...names, namespace: use.namespace ?? names.namespace, name: use.pod ?? names.name };
  const subject = { rule: use.rule ?? action.rule, actionner: actionner.id, target };
  const guards = policies.map(parseGuard).filter((guard) => guard.appliesTo(actionner));
  return [...new Set(guards.flatMap((guard) => limitsOf(guard, subject)).map(({ key }) => key))];
}

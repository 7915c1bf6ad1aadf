import { createHash } from 'node:crypto';
import type { BudgetKey, GuardBudget } from '../../model/guard-policy.ts';
import type { Counts, TargetNames } from '../../model/guard-variables.ts';
import type { ParsedGuard } from '../../model/parsed-guard.ts';
import type { BudgetLimit, Budgets, BudgetUser } from './budgets.ts';

/** Seconds within which `counts` counts. */
const COUNTED_WINDOW = 3_600;
/** Characters of a key. What alerts say of objects may be long. */
const LONGEST_KEY = 512;

/** What steps are counted by. */
export interface BudgetSubject {
  readonly rule: string;
  readonly actionner: string;
  readonly target: TargetNames;
}

/** A limit of a policy, with what is said when it is spent. */
export interface GuardLimit extends BudgetLimit {
  readonly policy: string;
  readonly reason: string;
}

/** What a policy takes for a step: its budgets, and without a limit what its expressions count by. */
export function limitsOf({ policy, counts }: ParsedGuard, subject: BudgetSubject): readonly GuardLimit[] {
  const budgets = policy.budgets.map((budget) => ({
    policy: policy.policy,
    key: keyOf(policy.policy, budget.per, subject),
    max: budget.max,
    window: budget.window,
    reason: reasonOf(budget),
  }));
  const counted = counts.map((by) => ({
    policy: policy.policy,
    key: keyOf(policy.policy, [by], subject),
    max: Number.POSITIVE_INFINITY,
    window: COUNTED_WINDOW,
    reason: '',
  }));
  return [...budgets, ...counted];
}

/** What the expressions of a policy see as `counts`: its earlier steps, without the one that is looked at. */
export function countsFor(
  { policy, counts }: ParsedGuard,
  subject: BudgetSubject,
  user: BudgetUser,
  budgets: Budgets,
  now: number,
): Counts {
  const count = (by: BudgetKey) =>
    counts.includes(by) ? budgets.count(keyOf(policy.policy, [by], subject), COUNTED_WINDOW, now, user) : 0;
  return {
    rule: count('rule'),
    target: count('target'),
    namespace: count('namespace'),
    actionner: count('actionner'),
  };
}

/** Names the policy, what it counts by and the values of that; budgets of a policy that count by the same share their uses. */
function keyOf(policy: string, per: readonly BudgetKey[], subject: BudgetSubject): string {
  const { resource, namespace, name } = subject.target;
  const values: Readonly<Record<BudgetKey, string>> = {
    rule: subject.rule,
    actionner: subject.actionner,
    namespace,
    target: JSON.stringify([resource, namespace, name]),
  };
  const key = JSON.stringify([policy, ...per.map((by) => [by, values[by]])]);
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('hex');
}

function reasonOf({ max, window, per }: GuardBudget): string {
  const actions = max === 1 ? 'action' : 'actions';
  const scope = per.length === 0 ? '' : ` per ${per.join(' and ')}`;
  return `the budget of ${max} ${actions} in ${durationText(window)}${scope} is spent`;
}

/** `1h30m`, as policies write it. */
function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

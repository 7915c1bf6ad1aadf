import type { Actionner } from './definition.ts';
import { type FactsNeeded, type GuardExpression, parseGuardExpression } from './guard-expression.ts';
import type { BudgetKey, GuardPolicy } from './guard-policy.ts';
import { TalonError } from './talon-error.ts';

/** A guard policy with its expressions ready for evaluation. */
export interface ParsedGuard {
  readonly policy: GuardPolicy;
  readonly denials: readonly { readonly expression: GuardExpression; readonly message: string }[];
  /** What has to be looked up for all of them. */
  readonly needs: FactsNeeded;
  /** What they count by. */
  readonly counts: readonly BudgetKey[];
  appliesTo(actionner: Actionner): boolean;
}

/** @throws TalonError('bundle') for an expression that the compiler would have refused */
export function parseGuard(policy: GuardPolicy): ParsedGuard {
  return guardOf(policy, (reason) => {
    throw new TalonError('bundle', `the policy '${policy.policy}' cannot be used: ${reason}`);
  });
}

/** As `parseGuard`, for policies that another version compiled: an expression that this one refuses fails when it is asked. */
export function readGuard(policy: GuardPolicy): ParsedGuard {
  return guardOf(policy, (reason) => ({
    needs: 'none',
    counts: new Set(),
    evaluate() {
      throw new TalonError('bundle', reason);
    },
  }));
}

function guardOf(policy: GuardPolicy, refused: (reason: string) => GuardExpression): ParsedGuard {
  const denials = policy.deny.map(({ expression, message }) => {
    const parsed = parseGuardExpression(expression);
    return { expression: parsed.ok ? parsed.expression : refused(parsed.faults[0]?.message ?? ''), message };
  });
  return {
    policy,
    denials,
    needs: mostFacts(denials.map(({ expression }) => expression.needs)),
    counts: [...new Set(denials.flatMap(({ expression }) => [...expression.counts]))],
    appliesTo: (actionner) => isFor(policy, actionner),
  };
}

/** The most that one of them needs. */
export function mostFacts(needs: readonly FactsNeeded[]): FactsNeeded {
  if (needs.includes('node')) return 'node';
  return needs.includes('pod') ? 'pod' : 'none';
}

function isFor({ actionners }: GuardPolicy, { id, destructive }: Actionner): boolean {
  if (actionners.length === 0) return true;
  return actionners.some((wanted) => {
    if (wanted === 'destructive') return destructive === true;
    return wanted.endsWith(':*') ? id.startsWith(wanted.slice(0, -1)) : wanted === id;
  });
}

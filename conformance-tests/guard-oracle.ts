import type { BudgetKey } from '../src/model/guard-policy.ts';

/** What a guard policy can ask in the tests: as CEL, and told here once more in plain TypeScript, without the engine. */
export type Question =
  | { readonly kind: 'namespace' | 'pod' | 'owner' | 'label' | 'process' | 'rule'; readonly value: string }
  | { readonly kind: 'unverified' | 'control plane' | 'night' | 'destructive' | 'odd' }
  | { readonly kind: 'counted'; readonly most: number }
  | { readonly kind: 'not'; readonly of: Question }
  | { readonly kind: 'and' | 'or'; readonly left: Question; readonly right: Question };

/** What is true of one action about to be taken. */
export interface Facts {
  readonly namespace: string;
  readonly pod: string;
  readonly owner: string | undefined;
  readonly label: string | undefined;
  readonly controlPlane: boolean;
  readonly verified: boolean;
  readonly process: string | number | undefined;
  /** A field that is no truth value, or none at all. */
  readonly odd: boolean | string | undefined;
  readonly rule: string;
  readonly actionner: string;
  /** UTC. */
  readonly hour: number;
}

export interface OraclePolicy {
  readonly name: string;
  readonly enforces: boolean;
  readonly actionners: readonly string[];
  readonly deny: readonly Question[];
  readonly budgets: readonly { readonly max: number; readonly window: number; readonly per: readonly BudgetKey[] }[];
}

export function celOf(question: Question): string {
  switch (question.kind) {
    case 'namespace':
      return `target.namespace == "${question.value}"`;
    case 'pod':
      return `target.pod == "${question.value}"`;
    case 'owner':
      return `has(target.owner) && target.owner.kind == "${question.value}"`;
    case 'label':
      return `"tier" in target.labels && target.labels["tier"] == "${question.value}"`;
    case 'process':
      return `"proc.name" in event.output_fields && event.output_fields["proc.name"] == "${question.value}"`;
    case 'rule':
      return `rule.name == "${question.value}"`;
    case 'unverified':
      return '!target.verified';
    case 'control plane':
      return 'has(target.node) && target.node.control_plane';
    case 'night':
      return 'now.getHours() >= 22';
    case 'destructive':
      return 'action.destructive';
    case 'odd':
      return '"odd" in event.output_fields && event.output_fields["odd"]';
    case 'counted':
      return `counts.target >= ${question.most}`;
    case 'not':
      return `!(${celOf(question.of)})`;
    case 'and':
      return `(${celOf(question.left)}) && (${celOf(question.right)})`;
    case 'or':
      return `(${celOf(question.left)}) || (${celOf(question.right)})`;
  }
}

/** True, false, or `error` where CEL has none of both. An operand that decides alone hides an error of the other. */
type Truth = boolean | 'error';

function truth(question: Question, facts: Facts, counted: number): Truth {
  switch (question.kind) {
    case 'namespace':
    case 'pod':
    case 'owner':
    case 'label':
    case 'process':
    case 'rule':
      return facts[question.kind] === question.value;
    case 'unverified':
      return !facts.verified;
    case 'control plane':
      return facts.controlPlane;
    case 'night':
      return facts.hour >= 22;
    case 'destructive':
      return isDestructive(facts.actionner);
    case 'odd':
      return facts.odd === undefined ? false : typeof facts.odd === 'boolean' ? facts.odd : 'error';
    case 'counted':
      return counted >= question.most;
    case 'not': {
      const inner = truth(question.of, facts, counted);
      return inner === 'error' ? inner : !inner;
    }
    default: {
      const decides = question.kind === 'or';
      const sides = [truth(question.left, facts, counted), truth(question.right, facts, counted)];
      if (sides.includes(decides)) return decides;
      return sides.includes('error') ? 'error' : !decides;
    }
  }
}

export const isDestructive = (actionner: string): boolean => actionner === 'kubernetes:terminate';

interface Use {
  readonly policy: string;
  readonly at: number;
  readonly facts: Facts;
}

/** What guard policies mean, for one alert after the other. */
export class GuardOracle {
  readonly #policies: readonly OraclePolicy[];
  readonly #uses: Use[] = [];

  constructor(policies: readonly OraclePolicy[]) {
    this.#policies = policies;
  }

  /** @param now milliseconds */
  judge(facts: Facts, now: number): 'allow' | 'denied' | 'parked' {
    const applying = this.#policies.filter(({ actionners }) => appliesTo(actionners, facts.actionner));
    const enforcing = applying.filter(({ enforces }) => enforces);
    const truths = enforcing.flatMap(({ name, deny }) => {
      const counted = this.#count(name, ['target'], 3_600, facts, now);
      return deny.map((question) => truth(question, facts, counted));
    });
    if (truths.includes(true)) return 'denied';
    if (truths.includes('error')) return 'parked';
    const spent = enforcing.some(({ name, budgets }) =>
      budgets.some(({ max, window, per }) => this.#count(name, per, window, facts, now) >= max),
    );
    if (spent) return 'parked';
    for (const { name } of enforcing) this.#uses.push({ policy: name, at: now, facts });
    return 'allow';
  }

  #count(policy: string, per: readonly BudgetKey[], window: number, facts: Facts, now: number): number {
    return this.#uses.filter(
      (use) =>
        use.policy === policy &&
        now - use.at < window * 1000 &&
        per.every((by) => subjectOf(by, use.facts) === subjectOf(by, facts)),
    ).length;
  }
}

function appliesTo(actionners: readonly string[], id: string): boolean {
  if (actionners.length === 0) return true;
  return actionners.some(
    (wanted) => wanted === id || wanted === 'kubernetes:*' || (wanted === 'destructive' && isDestructive(id)),
  );
}

function subjectOf(by: BudgetKey, { rule, namespace, pod, actionner }: Facts): string {
  return { rule, namespace, actionner, target: `${namespace}/${pod}` }[by];
}

import { ANY_PRIORITY } from '../model/priority.ts';
import type { Fact, FactKind, Group, LoweredPolicy, LoweredRule, Term } from './lower.ts';
import { signatureBit } from './table-hash.ts';

/** A rule to check when the fact that it hangs on holds. */
export interface Posting {
  readonly rule: number;
  /** Accepted priorities as bits. */
  readonly priorities: number;
  /** Signature of the facts that must hold for this posting to lead anywhere. */
  readonly signature: bigint;
}

/** Postings by fact. */
export type Index = ReadonlyMap<Fact, readonly Posting[]>;

/**
 * Roughly how many alerts out of one make a fact of a kind hold: names of Falco rules are the most selective thing that rules
 * ask about, then values of fields. Only the order and the rough distance matter.
 */
const LIKELIHOOD: Readonly<Record<FactKind, number>> = {
  rule: 0.01,
  field: 0.02,
  tag: 0.15,
  source: 0.5,
  priority: 0.05,
  always: 1,
};
/** A fact that many rules need is probably a common one. */
const POPULARITY = 0.1;
/** Choosing by priority always costs something, for each alert has one. */
const PRIORITY_BASE = 0.3;

/**
 * Hangs each rule on the facts of one criterion that it cannot match without, the one that probably comes up least often.
 * Facts must have their addresses. An alert leads to every rule that matches it, and to few others.
 */
export function indexRules({ rules, vocabulary }: LoweredPolicy): Index {
  const index = new Map<Fact, Posting[]>();
  rules.forEach((rule, number) => {
    for (const { fact, signature } of hooksOf(rule, vocabulary, rules.length)) {
      const postings = index.get(fact) ?? [];
      index.set(fact, postings);
      const last = postings.at(-1);
      if (last?.rule === number && last.signature === signature) continue;
      postings.push({ rule: number, priorities: rule.priorities, signature });
    }
  });
  return index;
}

interface Hook {
  readonly fact: Fact;
  readonly signature: bigint;
}

function hooksOf(rule: LoweredRule, vocabulary: LoweredPolicy['vocabulary'], ruleCount: number): Hook[] {
  const needed = rule.groups.reduce((sum, group) => sum | commonSignature(group), 0n);
  let best: Hook[] = [{ fact: vocabulary.always, signature: needed }];
  let lowest = LIKELIHOOD.always;
  const propose = (facts: readonly Fact[], cost: number, hooks: () => Hook[]) => {
    if (facts.length === 0 || cost >= lowest) return;
    best = hooks();
    lowest = cost;
  };
  const accepted = vocabulary.priorities.filter((_, number) => (rule.priorities >> number) & 1);
  if (rule.priorities !== ANY_PRIORITY) {
    propose(accepted, PRIORITY_BASE + LIKELIHOOD.priority * accepted.length, () =>
      accepted.map((fact) => ({ fact, signature: needed })),
    );
  }
  for (const group of rule.groups) {
    const rarest = group.map(rarestFact);
    if (!rarest.every((fact) => fact !== undefined)) continue;
    const cost = rarest.reduce((sum, fact) => sum + LIKELIHOOD[fact.kind], 0);
    const share = Math.max(...rarest.map((fact) => fact.uses)) / ruleCount;
    propose(rarest, Math.min(cost + POPULARITY * share, 0.9), () =>
      rarest.map((fact, position) => ({ fact, signature: needed | signatureOf(group[position] ?? []) })),
    );
  }
  return best;
}

/** Of the facts that must hold for an alternative, the one that fewest rules need. */
function rarestFact(alternative: readonly Term[]): Fact | undefined {
  let rarest: Fact | undefined;
  for (const { fact, negated } of alternative) {
    if (!negated && (rarest === undefined || fact.uses < rarest.uses)) rarest = fact;
  }
  return rarest;
}

/** What all alternatives of a criterion need. */
function commonSignature(group: Group): bigint {
  return group.map(signatureOf).reduce((common, signature) => common & signature);
}

function signatureOf(alternative: readonly Term[]): bigint {
  let signature = 0n;
  for (const { fact, negated } of alternative) if (!negated) signature |= 1n << BigInt(signatureBit(fact.address));
  return signature;
}

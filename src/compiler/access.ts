import { ANY_PRIORITY } from '../model/priority.ts';
import type { LoweredPolicy, LoweredRule } from './lower.ts';
import { signatureBit } from './table-hash.ts';
import type { Fact, FactKind, Group, Term, Vocabulary } from './vocabulary.ts';

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
  priority: 0.2,
  hostname: 0.05,
  level: 0.05,
  always: 1,
};
/** A fact that many rules need is probably a common one. */
const POPULARITY = 0.1;
/** Choosing by priority always costs something, for each alert has one. */
const PRIORITY_BASE = 0.3;
/** Postings per fact and rule. */
const MOST_WAYS = 6;

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

function hooksOf(rule: LoweredRule, vocabulary: Vocabulary, ruleCount: number): Hook[] {
  let best: { facts: readonly Fact[]; cost: number; group?: Group } = {
    facts: [vocabulary.always],
    cost: LIKELIHOOD.always,
  };
  const propose = (facts: readonly Fact[], cost: number, group?: Group) => {
    if (facts.length > 0 && cost < best.cost) best = { facts, cost, ...(group && { group }) };
  };
  if (rule.priorities !== ANY_PRIORITY) {
    const accepted = vocabulary.levels.filter((_, number) => (rule.priorities >> number) & 1);
    propose(accepted, PRIORITY_BASE + LIKELIHOOD.level * accepted.length);
  }
  const groups = [...rule.groups, ...(rule.condition?.implied ?? [])];
  for (const group of groups) {
    const rarest = group.map(rarestFact).filter((fact) => fact !== undefined);
    if (rarest.length < group.length) continue;
    const cost = rarest.reduce((sum, fact) => sum + LIKELIHOOD[fact.kind], 0);
    const share = rarest.reduce((most, { uses }) => Math.max(most, uses), 0) / ruleCount;
    propose(rarest, Math.min(cost + POPULARITY * share, 0.9), group);
  }
  const others = signaturesOf(groups.filter((group) => group !== best.group));
  return best.facts.flatMap((fact, position) => {
    const own = signatureOf(best.group?.[position] ?? []);
    return others.map((signature) => ({ fact, signature: signature | own }));
  });
}

/** Of the facts that must hold for an alternative, the one that fewest rules need. */
function rarestFact(alternative: readonly Term[]): Fact | undefined {
  let rarest: Fact | undefined;
  for (const { fact, negated } of alternative) {
    if (!negated && (rarest === undefined || fact.uses < rarest.uses)) rarest = fact;
  }
  return rarest;
}

/**
 * The signatures of the ways in which all of these criteria may hold: one posting each, because one for all ways could only ask
 * for what they have in common. Of criteria with many alternatives only that is taken.
 */
function signaturesOf(groups: readonly Group[]): bigint[] {
  let ways = [0n];
  for (const group of groups) {
    const signatures = [...new Set(group.map(signatureOf))];
    const split = ways.length * signatures.length <= MOST_WAYS && !signatures.includes(0n);
    const next = split ? signatures : [signatures.reduce((common, signature) => common & signature)];
    ways = ways.flatMap((way) => next.map((signature) => way | signature));
  }
  return ways;
}

function signatureOf(alternative: readonly Term[]): bigint {
  let signature = 0n;
  for (const { fact, negated } of alternative) if (!negated) signature |= 1n << BigInt(signatureBit(fact.address));
  return signature;
}

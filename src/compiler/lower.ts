import type { MatchTerms, PolicyRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';
import { type LoweredCondition, lowerConditions } from './lower-condition.ts';
import { fieldSlot, type Group, holds, newVocabulary, tagFact, type Vocabulary, valueFact } from './vocabulary.ts';

/** A rule in terms of facts. All groups must hold. */
export interface LoweredRule {
  /** Accepted priorities as bits. */
  readonly priorities: number;
  readonly stops: boolean;
  readonly groups: readonly Group[];
  readonly condition: LoweredCondition | undefined;
}

export interface LoweredPolicy {
  readonly vocabulary: Vocabulary;
  readonly rules: readonly LoweredRule[];
  /** The distinct conditions, ordered by their numbers. */
  readonly conditions: readonly LoweredCondition[];
}

/**
 * Turns the criteria of resolved rules into groups of facts, each distinct fact once for the whole policy.
 *
 * @throws TalonError `rules` for what the checks before this step never let through: an alternative without terms, which would
 * match every alert, or a malformed condition
 */
export function lower(rules: readonly PolicyRule[]): LoweredPolicy {
  const vocabulary = newVocabulary();
  const conditions = lowerConditions(rules, vocabulary);
  return {
    vocabulary,
    rules: rules.map((rule) => lowerRule(rule, vocabulary, conditions.get(rule.match.condition))),
    conditions: [...conditions.values()],
  };
}

function lowerRule(rule: PolicyRule, vocabulary: Vocabulary, condition: LoweredCondition | undefined): LoweredRule {
  const groups = groupsOf(rule.match, vocabulary);
  if (groups.some((group) => group.some((terms) => terms.length === 0))) {
    throw new TalonError('rules', `the rule \`${rule.rule}\` has an empty criterion`);
  }
  for (const group of [...groups, ...(condition?.implied ?? [])]) countUses(group);
  return { priorities: rule.match.priority.accepts, stops: !rule.continue, groups, condition };
}

function countUses(group: Group): void {
  for (const terms of group) for (const { fact, negated } of terms) if (!negated) fact.uses += 1;
}

/** The cheapest and most selective criteria first. */
function groupsOf(match: MatchTerms, vocabulary: Vocabulary): Group[] {
  const { rule, source } = vocabulary.headers;
  const groups: Group[] = [
    match.source === '' ? [] : [[holds(valueFact(source, match.source))]],
    [...new Set(match.rules)].map((name) => [holds(valueFact(rule, name))]),
    match.output_fields.map((terms) =>
      terms.map(({ key, operator, value }) => ({
        fact: valueFact(fieldSlot(vocabulary, key), value),
        negated: operator === '!=',
      })),
    ),
    match.tags.map((tags) => [...new Set(tags)].map((tag) => holds(tagFact(vocabulary, tag)))),
  ];
  return groups.filter((group) => group.length > 0);
}

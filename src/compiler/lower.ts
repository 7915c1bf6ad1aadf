import type { MatchTerms, PolicyRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';

/** What a fact is about. */
export type FactKind = 'rule' | 'source' | 'field' | 'tag' | 'priority' | 'always';

/**
 * A statement about an alert, the same object wherever rules make the same one. The table builder gives it an address and
 * hangs postings on it.
 */
export interface Fact {
  readonly kind: FactKind;
  /** How many times rules need it to hold. */
  uses: number;
  /** Address in the module; 0 until the tables are laid out. */
  address: number;
}

/** A key of `output_fields` that rules ask about, and the texts that they compare it with. */
export interface Field {
  readonly values: Map<string, Fact>;
  /** Some condition needs the value of a number, not only whether it equals a text. */
  readsNumber: boolean;
  address: number;
}

/** The facts of a policy by what they are about. */
export interface Vocabulary {
  readonly rules: Map<string, Fact>;
  readonly sources: Map<string, Fact>;
  readonly tags: Map<string, Fact>;
  readonly fields: Map<string, Field>;
  /** Facts by priority number, 0 to 8. */
  readonly priorities: readonly Fact[];
  /** The fact that holds for every alert. */
  readonly always: Fact;
}

export interface Term {
  readonly fact: Fact;
  /** The term holds when the fact does not. */
  readonly negated: boolean;
}

/** A criterion: any of the alternatives, of which all terms must hold. */
export type Group = readonly (readonly Term[])[];

/** A rule in terms of facts. All groups must hold. */
export interface LoweredRule {
  /** Accepted priorities as bits. */
  readonly priorities: number;
  readonly stops: boolean;
  readonly groups: readonly Group[];
}

export interface LoweredPolicy {
  readonly vocabulary: Vocabulary;
  readonly rules: readonly LoweredRule[];
}

/**
 * Turns the criteria of resolved rules into groups of facts, each distinct fact once for the whole policy.
 *
 * @throws TalonError `rules` for an alternative without terms, which would match every alert: the checks before this step
 * never let one through
 */
export function lower(rules: readonly PolicyRule[]): LoweredPolicy {
  const vocabulary: Vocabulary = {
    rules: new Map(),
    sources: new Map(),
    tags: new Map(),
    fields: new Map(),
    priorities: Array.from({ length: 9 }, () => newFact('priority')),
    always: newFact('always'),
  };
  return { vocabulary, rules: rules.map((rule) => lowerRule(rule, vocabulary)) };
}

function lowerRule(rule: PolicyRule, vocabulary: Vocabulary): LoweredRule {
  const groups = groupsOf(rule.match, vocabulary);
  for (const group of groups) {
    for (const alternative of group) {
      if (alternative.length === 0) throw new TalonError('rules', `the rule \`${rule.rule}\` has an empty criterion`);
      for (const { fact, negated } of alternative) if (!negated) fact.uses += 1;
    }
  }
  return { priorities: rule.match.priority.accepts, stops: !rule.continue, groups };
}

/** The cheapest and most selective criteria first. */
function groupsOf(match: MatchTerms, vocabulary: Vocabulary): Group[] {
  const groups: Group[] = [
    match.source === '' ? [] : [[holds(factOf(vocabulary.sources, match.source, 'source'))]],
    [...new Set(match.rules)].map((name) => [holds(factOf(vocabulary.rules, name, 'rule'))]),
    match.output_fields.map((terms) =>
      terms.map(({ key, operator, value }) => ({
        fact: fieldFact(vocabulary, key, value),
        negated: operator === '!=',
      })),
    ),
    match.tags.map((tags) => [...new Set(tags)].map((tag) => holds(factOf(vocabulary.tags, tag, 'tag')))),
  ];
  return groups.filter((group) => group.length > 0);
}

function holds(fact: Fact): Term {
  return { fact, negated: false };
}

function newFact(kind: FactKind): Fact {
  return { kind, uses: 0, address: 0 };
}

function factOf(facts: Map<string, Fact>, text: string, kind: FactKind): Fact {
  const known = facts.get(text);
  if (known) return known;
  const fact = newFact(kind);
  facts.set(text, fact);
  return fact;
}

/** The field of a key, made known to the scanner. */
export function fieldOf(vocabulary: Vocabulary, key: string): Field {
  const known = vocabulary.fields.get(key);
  if (known) return known;
  const field: Field = { values: new Map(), readsNumber: false, address: 0 };
  vocabulary.fields.set(key, field);
  return field;
}

/** The fact that the value of a key has a text among its forms. */
export function fieldFact(vocabulary: Vocabulary, key: string, value: string): Fact {
  return factOf(fieldOf(vocabulary, key).values, value, 'field');
}

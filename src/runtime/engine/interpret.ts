import { type Condition, evaluateCondition, parseCondition } from '../../model/condition.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { priorityNumber } from '../../model/priority.ts';
import type { FieldTerm, MatchTerms, PolicyRule } from '../../model/rule.ts';
import { TalonError } from '../../model/talon-error.ts';
import { textForms } from '../../model/text-form.ts';

/**
 * The rules that an alert matches, as indices in order; none after a matched rule with `continue: false`.
 *
 * This is the meaning of rules. The policy module gives the same answer faster; tests hold the two together.
 */
export function interpret(rules: readonly PolicyRule[], event: FalcoEvent): number[] {
  const matched: number[] = [];
  for (const [index, rule] of rules.entries()) {
    if (!matches(rule.match, event)) continue;
    matched.push(index);
    if (!rule.continue) break;
  }
  return matched;
}

/** All criteria must hold. An empty one holds for every alert, also for one that lacks the datum. */
export function matches(terms: MatchTerms, event: FalcoEvent): boolean {
  return (
    anyName(terms.rules, event) &&
    acceptsPriority(terms.priority.accepts, event) &&
    hasSource(terms.source, event) &&
    anyTagList(terms.tags, event) &&
    anyFieldList(terms.output_fields, event) &&
    meetsCondition(terms, event)
  );
}

function anyName(names: readonly string[], event: FalcoEvent): boolean {
  return names.length === 0 || names.includes(event.rule);
}

function acceptsPriority(accepts: number, event: FalcoEvent): boolean {
  return ((accepts >> priorityNumber(event.priority)) & 1) === 1;
}

function hasSource(source: string, event: FalcoEvent): boolean {
  return source === '' || source === event.source;
}

function anyTagList(lists: readonly (readonly string[])[], event: FalcoEvent): boolean {
  return lists.length === 0 || lists.some((list) => list.every((tag) => hasTag(tag, event)));
}

/** Only texts are tags: the number 5 is not the tag `5`. */
export function hasTag(tag: string, event: FalcoEvent): boolean {
  return event.tags?.includes(tag) ?? false;
}

function anyFieldList(lists: readonly (readonly FieldTerm[])[], event: FalcoEvent): boolean {
  return lists.length === 0 || lists.some((list) => list.every((term) => fieldHolds(term, event)));
}

/** `=` needs the field to be present and one of its texts to be equal, `!=` is the opposite. */
export function fieldHolds(term: FieldTerm, event: FalcoEvent): boolean {
  const value = event.output_fields?.get(term.key);
  const equal = value !== undefined && textForms(value).includes(term.value);
  return term.operator === '=' ? equal : !equal;
}

/** A condition that cannot be evaluated, because a field is absent for instance, does not hold. */
export function meetsCondition(terms: MatchTerms, event: FalcoEvent): boolean {
  return terms.condition === '' || evaluateCondition(parsedCondition(terms), event);
}

const conditions = new WeakMap<MatchTerms, Condition>();

/**
 * The condition of a rule, parsed once.
 * @throws TalonError `rules` for an expression that the compiler refuses
 */
export function parsedCondition(terms: MatchTerms): Condition {
  let condition = conditions.get(terms);
  if (condition === undefined) {
    const parsed = parseCondition(terms.condition);
    if (!parsed.ok) throw new TalonError('rules', `condition \`${terms.condition}\`: ${parsed.message}`);
    condition = parsed.condition;
    conditions.set(terms, condition);
  }
  return condition;
}

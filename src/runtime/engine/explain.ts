import type { Condition } from '../../model/condition.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { PRIORITIES, priorityNumber } from '../../model/priority.ts';
import type { FieldTerm, MatchTerms, PolicyRule } from '../../model/rule.ts';
import { textForms } from '../../model/text-form.ts';
import { fieldHolds, hasTag, matches, meetsCondition, parsedCondition } from './interpret.ts';

/** One term of a rule against one alert. */
export interface TermExplanation {
  /**
   * Where it stands in the rule: `match.rules[0]`, `match.output_fields[1][0]` (second item, first part),
   * `match.condition[1]` (second of the parts that `&&` joins).
   */
  readonly path: string;
  /** As the rule writes it. */
  readonly text: string;
  readonly holds: boolean;
  /** A sentence that names what the alert has. Values of the alert are cut to 200 characters and quoted as JSON. */
  readonly why: string;
}

/** What each term of a rule says to one alert, and whether the rule as a whole matches. */
export interface RuleExplanation {
  readonly matches: boolean;
  /** Names, items of tags and items of output_fields are alternatives; the parts of an item are all needed. */
  readonly terms: readonly TermExplanation[];
}

const SHOWN = 200;

/** Every term of a rule with its verdict on an alert, whether or not earlier terms decided already. */
export function explainRule(rule: PolicyRule, event: FalcoEvent): RuleExplanation {
  const { match } = rule;
  return {
    matches: matches(match, event),
    terms: [
      ...match.rules.map((name, index) => explainName(name, index, event)),
      ...explainPriority(match, event),
      ...explainSource(match, event),
      ...match.tags.flatMap((list, item) => list.map((tag, part) => explainTag(tag, item, part, event))),
      ...match.output_fields.flatMap((list, item) =>
        list.map((term, part) => explainField(term, `match.output_fields[${item}][${part}]`, event)),
      ),
      ...explainCondition(match, event),
    ],
  };
}

function explainName(name: string, index: number, event: FalcoEvent): TermExplanation {
  const holds = event.rule === name;
  const why = `rule is ${quoted(event.rule)}${holds ? '' : `, wants ${quoted(name)}`}`;
  return { path: `match.rules[${index}]`, text: name, holds, why };
}

function explainPriority({ priority }: MatchTerms, event: FalcoEvent): TermExplanation[] {
  if (priority.text === '') return [];
  const number = priorityNumber(event.priority);
  const holds = ((priority.accepts >> number) & 1) === 1;
  const known = number === 0 ? 'no known priority, counts as 0' : `${PRIORITIES[number]}, ${number}`;
  const why = `priority is ${quoted(event.priority)} (${known}), wants \`${priority.text}\``;
  return [{ path: 'match.priority', text: priority.text, holds, why }];
}

function explainSource({ source }: MatchTerms, event: FalcoEvent): TermExplanation[] {
  if (source === '') return [];
  const holds = event.source === source;
  const why = `source is ${quoted(event.source)}${holds ? '' : `, wants ${quoted(source)}`}`;
  return [{ path: 'match.source', text: source, holds, why }];
}

function explainTag(tag: string, item: number, part: number, event: FalcoEvent): TermExplanation {
  const holds = hasTag(tag, event);
  const why = `${quoted(tag)} is ${holds ? 'a tag' : 'not among the tags'} of the alert`;
  return { path: `match.tags[${item}][${part}]`, text: tag, holds, why };
}

function explainField(term: FieldTerm, path: string, event: FalcoEvent): TermExplanation {
  const holds = fieldHolds(term, event);
  const text = `${term.key}${term.operator}${term.value}`;
  const value = event.output_fields?.get(term.key);
  if (value === undefined) return { path, text, holds, why: `the alert has no field ${quoted(term.key)}` };
  const wants = term.operator === '=' ? 'wants' : 'wants anything but';
  const why = `${term.key} is ${textForms(value).map(quoted).join(' or ')}, ${wants} ${quoted(term.value)}`;
  return { path, text, holds, why };
}

/** The parts of a condition that `&&` joins, each for itself. */
function explainCondition(match: MatchTerms, event: FalcoEvent): TermExplanation[] {
  if (match.condition === '') return [];
  const parts = conjuncts(parsedCondition(match).ast);
  return parts.map((text, index) => {
    const holds = meetsCondition({ ...match, condition: text }, event);
    const why = holds ? 'the expression is true' : 'the expression is false, or reads what the alert does not have';
    return { path: parts.length === 1 ? 'match.condition' : `match.condition[${index}]`, text, holds, why };
  });
}

function conjuncts(node: Condition['ast']): string[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node.input.slice(node.start, node.end)];
}

/** Quoted so that nothing in an alert acts on a terminal or breaks a line. */
function quoted(text: string): string {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  const escaped = JSON.stringify(shown).slice(1, -1);
  return `\`${escaped.replace(/[\p{C}\u2028\u2029]/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\``;
}

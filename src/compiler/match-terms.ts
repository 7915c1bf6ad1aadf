import { parseCondition } from '../model/condition.ts';
import { ANY_PRIORITY, PRIORITIES, priorityNumber } from '../model/priority.ts';
import type { FieldTerm, MatchTerms } from '../model/rule.ts';
import type { RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import { hasExpressionTag } from './expression-tag.ts';
import { MAX_BRACKETS } from './field-tables.ts';
import type { Findings } from './findings.ts';
import { spotWithin } from './spot-within.ts';
import type { ScalarNode } from './yaml-node.ts';

/** Turns the texts of `match` into terms; what is malformed becomes a finding and leaves no term. */
export function matchTerms(rule: RuleBlock, findings: Findings): MatchTerms {
  const { match } = rule;
  const name = rule.rule.text;
  return {
    rules: match.rules.map(({ text }) => text),
    priority: priorityTerm(match.priority, name, findings),
    tags: match.tags.map((item) => tagTerms(item, name, findings)),
    output_fields: match.output_fields.map((item) => fieldTerms(item, name, findings)),
    source: textOf(match.source),
    condition: conditionTerm(match.condition, findings),
  };
}

/** Checked here, so that the engines can rely on it. */
function conditionTerm(node: ScalarNode | undefined, findings: Findings): string {
  if (node && hasExpressionTag('T1401', node, findings)) return '';
  if (!node?.text) return '';
  const parsed = parseCondition(node.text);
  if (parsed.ok) return node.text;
  findings.add('T1401', spotWithin(node, parsed.offset, parsed.offset + parsed.length), parsed.message);
  return '';
}

const PRIORITY = /^([<>]?)(=?)([a-z]*)$/i;

function priorityTerm(node: ScalarNode | undefined, rule: string, findings: Findings): MatchTerms['priority'] {
  const text = textOf(node);
  const accepts = acceptedPriorities(text);
  if (accepts !== undefined || !node) return { text, accepts: accepts ?? ANY_PRIORITY };
  findings.add('T1210', node, `incorrect priority \`${text}\``, {
    hint: priorityHint(text, findings),
    record: { error: `incorrect priority '${text}'`, rule },
  });
  return { text, accepts: ANY_PRIORITY };
}

/** The set of priorities that a criterion accepts, as bits; undefined for a malformed one. */
function acceptedPriorities(text: string): number | undefined {
  const [, comparison, equals, name = ''] = PRIORITY.exec(text) ?? [undefined, '', '', '?'];
  if (name === '') return ANY_PRIORITY;
  const number = priorityNumber(name);
  if (number === 0) return undefined;
  const same = 1 << number;
  const lower = same - 1;
  const equal = equals || !comparison ? same : 0;
  if (comparison === '<') return lower | equal;
  return comparison === '>' ? (ANY_PRIORITY & ~lower & ~same) | equal : equal;
}

function priorityHint(text: string, findings: Findings): string | undefined {
  if (/[<>=]\s|\s/.test(text)) return 'write it without spaces, such as `>=Warning`';
  return findings.didYouMean(text.replace(/^[<>=!]*/, ''), PRIORITIES.slice(1));
}

/** A list of tags of which an event needs all. Spaces are removed, as Falco Talon does. */
function tagTerms(item: ScalarNode, rule: string, findings: Findings): string[] {
  return split(item.text, false).map(({ text, from, to }) => {
    const tag = text.replaceAll(' ', '');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (tag !== '' && !/[\s\0-\x1f\x7f]/.test(tag)) return tag;
    findings.add('T1211', spotWithin(item, from, to), tag === '' ? 'empty tag' : `incorrect tag \`${tag}\``, {
      record: { error: `incorrect tag '${tag}'`, rule },
    });
    return tag;
  });
}

/** A list of comparisons that must all hold. One space after a comma is no part of the next comparison. */
function fieldTerms(item: ScalarNode, rule: string, findings: Findings): FieldTerm[] {
  return split(item.text, true).flatMap(({ text, from, to }) => {
    const term = fieldTerm(text);
    if (term && /[~^*+:|&-]$/.test(term.key)) {
      findings.add('T1606', spotWithin(item, from, to), `\`${term.key}\` is hardly the key of a field`, {
        hint: 'only `=` and `!=` compare output fields',
      });
    }
    if (term && term.value.split('[').length - 1 > MAX_BRACKETS) {
      findings.add('T1214', spotWithin(item, from, to), `more than ${MAX_BRACKETS} opening brackets in a value`);
    }
    if (term) return [term];
    findings.add('T1212', spotWithin(item, from, to), fieldMessage(text), {
      hint: fieldHint(text),
      record: { error: `incorrect output field key '${text}'`, rule },
    });
    return [];
  });
}

const FIELD = /^([^=!<>",\s]+)(!?=)(.*)$/s;

function fieldTerm(text: string): FieldTerm | undefined {
  const [, key, operator, value = ''] = FIELD.exec(text) ?? [];
  if (key === undefined || (operator !== '=' && operator !== '!=')) return undefined;
  return { key, operator, value: value.replaceAll('"', '') };
}

function fieldMessage(text: string): string {
  if (text === '') return 'empty comparison of an output field';
  if (/^!?=/.test(text)) return `no key before the operator in \`${text}\``;
  return text.includes('=') ? `incorrect output field key in \`${text}\`` : `no \`=\` or \`!=\` in \`${text}\``;
}

function fieldHint(text: string): string | undefined {
  if (/^[^=]*[<>]/.test(text)) return 'only `=` and `!=` compare output fields';
  if (/^[^=]*\s/.test(text)) return 'write it without spaces around key and operator';
  return text.includes('=') ? undefined : 'a comma separates comparisons; a value cannot contain one';
}

interface Part {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** The parts between commas. With `spaced`, one space behind a comma belongs to the comma. */
function split(text: string, spaced: boolean): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (let comma = text.indexOf(','); comma >= 0; comma = text.indexOf(',', from)) {
    parts.push({ text: text.slice(from, comma), from, to: comma });
    from = spaced && text[comma + 1] === ' ' ? comma + 2 : comma + 1;
  }
  parts.push({ text: text.slice(from), from, to: text.length });
  return parts;
}

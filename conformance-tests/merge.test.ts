import { parse } from 'yaml';
import { textOf } from '../src/compiler/blocks.ts';
import { Findings } from '../src/compiler/findings.ts';
import { type LoadedRule, load } from '../src/compiler/load.ts';
import { parameterMap } from '../src/compiler/parameter-value.ts';
import { printRules } from '../src/compiler/print-rules.ts';
import { PRIORITIES } from '../src/model/priority.ts';
import { conformance } from './harness.ts';
import { rulesFiles } from './rules-files.ts';

/** The texts of these records come from Go's YAML library. */
const SYNTAX = /^wrong syntax for the rule file .*/s;

interface Recorded {
  readonly load: 'ok' | 'invalid' | 'crash';
  readonly rules?: readonly unknown[];
  readonly records: readonly Record<string, string>[];
  readonly print?: { readonly exit_code: number; readonly stdout: string };
}

conformance<Recorded>({
  category: 'merge',
  recorded: ({ load: result, rules, records, print }) => ({
    load: result,
    ...(rules && { rules: withoutEmpty(rules) }),
    ...withRecords(records.map(({ level: _, message: __, ...record }) => record)),
    ...(print && { print: comparedPrint(print.exit_code, print.stdout, rules) }),
  }),
  ours: ({ rules: texts, expected }) => {
    const findings = new Findings();
    const loaded = load(rulesFiles(texts), {}, findings).rules;
    const rules = findings.failed ? undefined : loaded.map(asRecorded);
    return {
      load: findings.failed ? 'invalid' : 'ok',
      ...(rules && { rules: withoutEmpty(rules) }),
      ...withRecords(findings.records.map((record) => ({ ...record }))),
      ...(expected.print && { print: ourPrint(texts, rules) }),
    };
  },
});

function withRecords(records: readonly Record<string, string>[]): object {
  const compared = records.map(({ error = '', ...record }) => ({
    ...record,
    error: error.replace(SYNTAX, 'wrong syntax'),
  }));
  return compared.length > 0 ? { records: compared } : {};
}

function ourPrint(texts: readonly (string | null)[], rules: readonly unknown[] | undefined): unknown {
  const { text } = printRules(rulesFiles(texts));
  return comparedPrint(text === undefined ? 1 : 0, text ?? '', rules);
}

/** What `rules print` shows says the same as the rules, so only a deviation is spelt out. */
function comparedPrint(exitCode: number, stdout: string, rules: readonly unknown[] | undefined): unknown {
  const printed = JSON.stringify(sorted(withoutEmpty(stdout === '' ? [] : parse(stdout))));
  const same = printed === JSON.stringify(sorted(withoutEmpty(withoutCompiled(rules ?? []))));
  return { exit_code: exitCode, rules: same ? 'as above' : JSON.parse(printed) };
}

function withoutCompiled(rules: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(rules, (key, value: unknown) => (key === 'compiled' ? undefined : value)));
}

function asRecorded({ block, terms }: LoadedRule): object {
  const { match } = block;
  return {
    rule: block.rule.text,
    description: textOf(block.description),
    continue: textOf(block.continue),
    dry_run: textOf(block.dry_run),
    notifiers: block.notifiers.map(textOf),
    match: {
      rules: match.rules.map(textOf),
      priority: textOf(match.priority),
      source: textOf(match.source),
      tags: match.tags.map(textOf),
      output_fields: match.output_fields.map(textOf),
      compiled: {
        ...compiledPriority(textOf(match.priority)),
        tags: terms.tags,
        output_fields: terms.output_fields.map((group) =>
          group.map(({ key, operator, value }) => ({ comparator: operator, key, value })),
        ),
      },
    },
    actions: block.actions.map((action) => ({
      action: textOf(action.action),
      description: textOf(action.description),
      actionner: textOf(action.actionner),
      continue: textOf(action.continue),
      ignore_errors: textOf(action.ignore_errors),
      parameters: parameterMap(action.parameters),
      additional_contexts: action.additional_contexts.map(textOf),
      output: { target: textOf(action.output?.target), parameters: parameterMap(action.output?.parameters) },
    })),
  };
}

function compiledPriority(text: string): object {
  const [, comparator = '', name = ''] = /^([<>]?=?)(.*)$/.exec(text) ?? [];
  const number = PRIORITIES.findIndex((priority) => priority.toLowerCase() === name.toLowerCase());
  return { priority_comparator: comparator, priority_number: number };
}

/** Leaves out members that are empty: an absent text and an empty one mean the same. Parameters are kept as they are. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([key, member]) => [key, key === 'parameters' ? member : withoutEmpty(member)] as const)
    .filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

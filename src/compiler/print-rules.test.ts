import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printRules } from './print-rules.ts';
import type { SourceFile } from './read.ts';

test("rules are printed merged, with Falco Talon's order of keys", () => {
  const first = `- action: Limit
  description: Cut it off
  actionner: kubernetes:networkpolicy
  parameters: {order: 20, allow_cidr: [10.0.0.0/8]}
  output: {target: 'aws:s3', parameters: {prefix: "5", bucket: b}}
- rule: Shell
  match: {tags: [a], source: syscall, rules: [A shell]}
  description: |
    two
    lines
  actions: [{action: Limit, ignore_errors: true, continue: false, additional_contexts: [aws], parameters: {allow_cidr: [yes]}}]
  notifiers: [slack]
  dry_run: true
  continue: true
`;
  const second =
    "- rule: Shell\n  match: {priority: '>=Warning', output_fields: [a=b]}\n- rule: true\n  actions: [{action: X, actionner: 'a:b'}]\n";
  expect(
    printRules(['first', 'second'].map((path, index) => ({ path, text: [first, second][index] ?? '' }))).text,
  ).toBe(`---
- rule: Shell
  description: |
    two
    lines
  continue: "true"
  dry_run: "true"
  notifiers:
    - slack
  actions:
    - parameters:
        allow_cidr:
          - 10.0.0.0/8
          - "yes"
        order: 20
      output:
        parameters:
          bucket: b
          prefix: "5"
        target: aws:s3
      action: Limit
      description: Cut it off
      actionner: kubernetes:networkpolicy
      continue: "false"
      ignore_errors: "true"
      additional_contexts:
        - aws
  match:
    output_fields:
      - a=b
    priority: ">=Warning"
    source: syscall
    rules:
      - A shell
    tags:
      - a
- rule: "true"
  actions:
    - action: X
      actionner: a:b
  match: {}
`);
});

test('no rules, and rules that are refused', () => {
  expect(printRules([{ path: 'a', text: '' }]).text).toBe('---\n[]\n');
  const refused = printRules([{ path: 'a', text: '- rule: r\n' }]);
  expect(refused.text).toBeUndefined();
  expect(refused.records).toEqual([{ error: 'no action specified', rule: 'r' }]);
});

const RECORDED = readFileSync(new URL('../../conformance-tests/oracle/merge.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { id: string; rules: string[] });

function printTexts(texts: readonly string[]): string | undefined {
  return printRules(texts.map((text, index): SourceFile => ({ path: `${index}.yaml`, text }))).text;
}

test('what is printed is read again as the same rules', () => {
  const printed = RECORDED.flatMap(({ rules }) => printTexts(rules) ?? []);
  expect(printed.length).toBeGreaterThan(250);
  for (const text of printed) expect(printTexts([text])).toBe(text);
});

test('several files mean the same as one file with all that they say', () => {
  const lists = RECORDED.filter(({ rules }) => rules.length > 1 && rules.every((text) => text.startsWith('- ')));
  expect(lists.length).toBeGreaterThan(80);
  for (const { id, rules } of lists) expect(printTexts([rules.join('')]), id).toBe(printTexts(rules));
});

import { expect, test } from 'vitest';
import { catalog } from '../cli/plugins/catalog.ts';
import { type Checked, checkRules } from './check-rules.ts';
import { compile } from './compile.ts';

/** Far above what these take, far below what a bomb would. */
const SECONDS = 60_000;
const ACTIONS = 'actions: [{action: a, actionner: kubernetes:log}]';

function check(text: string): Checked {
  return checkRules([{ path: 'rules.yaml', bytes: Buffer.from(text) }], { catalog });
}

function codes(text: string): string[] {
  return [...new Set(check(text).diagnostics.map(({ code }) => code))];
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

const levels = (count: number, line: (index: number) => string) => lines(count, (index) => line(index + 1));

test('a hundred thousand rules are read', { timeout: SECONDS }, () => {
  const { rules, diagnostics } = check(
    lines(100_000, (index) => `- rule: r${index}\n  match: {rules: [x${index}]}\n  ${ACTIONS}\n`),
  );
  expect(diagnostics).toEqual([]);
  expect(rules).toHaveLength(100_000);
});

test('thirty thousand blocks of one rule are merged', { timeout: SECONDS }, () => {
  const { rules } = check(lines(30_000, (index) => `- rule: r\n  match: {rules: [x${index}]}\n  ${ACTIONS}\n`));
  expect(rules?.[0]?.match.rules).toHaveLength(30_000);
});

test('ten megabytes of one thing are read or refused', { timeout: SECONDS }, () => {
  const rule = (description: string) =>
    `- rule: r\n  match: {rules: [a]}\n  description: ${description}\n  ${ACTIONS}\n`;
  expect(codes(rule('x'.repeat(10_000_000)))).toEqual([]);
  expect(codes(`${'# comment\n'.repeat(1_000_000)}${rule('d')}`)).toEqual([]);
  expect(codes(`- rule: r\n  match:\n    rules:\n${'      - a name\n'.repeat(700_000)}  ${ACTIONS}\n`)).toEqual([]);
  expect(codes(rule(`|\n${'    text\n'.repeat(1_200_000)}`))).toEqual(['T1004']);
  for (const text of ['[', '}', '- ', '? ', '"', ': ', '&a ', '\t', '---\n', '{a: ']) {
    expect(codes(text.repeat(10_000_000 / text.length)), text).toEqual(['T1004']);
  }
});

test('many faults are a handful of findings', { timeout: SECONDS }, () => {
  for (const text of ['}', '"" ', '&a ', '!a ', '- }\n', '@ ', '{a: b} ']) {
    const { diagnostics } = check(text.repeat(300_000 / text.length));
    expect(diagnostics.length, text).toBeGreaterThan(0);
    expect(diagnostics.length, text).toBeLessThanOrEqual(30);
    expect(diagnostics.every(({ severity }) => severity === 'error')).toBe(true);
  }
});

test('deep nesting is refused where it is too deep', () => {
  for (const text of [
    `- a: ${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    `- a: ${'{a: '.repeat(100_000)}`,
    levels(1000, (level) => `${' '.repeat(level)}- a:\n`),
    levels(1000, (level) => `${' '.repeat(level)}a:\n`),
    '- '.repeat(100_000),
    '? '.repeat(100_000),
  ]) {
    expect(codes(text), text.slice(0, 40)).toEqual(['T1106']);
  }
});

test('aliases that multiply are refused', { timeout: SECONDS }, () => {
  const aliases = (name: string) => Array.from({ length: 10 }, () => `*${name}`).join(', ');
  const billion = levels(12, (level) => `- &a${level} [${aliases(`a${level - 1}`)}]\n`);
  expect(codes(`- &a0 [x, x, x]\n${billion}`)).toContain('T1105');
  const nested = levels(12, (level) => `    p${level}: &p${level} [${aliases(`p${level - 1}`)}]\n`);
  expect(codes(`- action: a\n  parameters:\n    p0: &p0 [x]\n${nested}`)).toEqual(['T1105']);
  const merged = `- &a\n${lines(5000, (index) => `  k${index}: v\n`)}${'- {<<: *a}\n'.repeat(5000)}`;
  expect(codes(merged)).toEqual(['T1105']);
  expect(codes('- &a {rule: x, b: *a}\n')).toEqual(['T1104']);
});

test('action blocks that multiply are refused', { timeout: SECONDS }, () => {
  const block = `- action: a\n  actionner: kubernetes:networkpolicy\n  parameters:\n    allow_namespaces: [${'x,'.repeat(50_000)}x]\n`;
  const items = `- rule: r\n  match: {rules: [a]}\n  actions:\n${'    - action: a\n'.repeat(50_000)}`;
  const { diagnostics } = check(block + items);
  expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toContain('T1213');
});

test('one rule with many alternatives is compiled', { timeout: SECONDS }, () => {
  const names = lines(150_000, (index) => `      - name ${index}\n`);
  const text = `- rule: r\n  match:\n    rules:\n${names}  ${ACTIONS}\n`;
  expect(compile([{ path: 'rules.yaml', text }], { catalog }).bundle?.rules[0]?.match.rules).toHaveLength(150_000);
});

test('words that nothing is near to take their time only so often', { timeout: SECONDS }, () => {
  const keys = lines(150_000, (index) => `  k${index}: v\n`);
  expect(codes(`- rule: r\n  match: {rules: [a]}\n  ${ACTIONS}\n${keys}`)).toEqual(['T1501']);
  const blocks = lines(20_000, (index) => `- {action: block number ${index}, actionner: kubernetes:log}\n`);
  const items = lines(20_000, (index) => `    - action: bluck nomber ${index}\n`);
  expect(codes(`${blocks}- rule: r\n  match: {rules: [a]}\n  actions:\n${items}`)).toContain('T1205');
});

test('many keys, long keys and many anchors take their time only once', { timeout: SECONDS }, () => {
  const labels = lines(30_000, (index) => `        k${index}: v\n`);
  const map = `- rule: r\n  match: {rules: [a]}\n  actions:\n    - action: a\n      actionner: kubernetes:label\n      parameters:\n       labels:\n${labels}`;
  expect(codes(map)).toEqual([]);
  expect(codes(`- ${'k'.repeat(1_000_000)}: x\n`)).toEqual(['T1502']);
  expect(
    codes(lines(5_000, (index) => `- &a${index} {rule: r${index}, match: {rules: [a${index}]}, ${ACTIONS}}\n`)),
  ).toEqual([]);
  expect(codes(`- &a {rule: r, match: {rules: [a]}, ${ACTIONS}}\n${'- *a\n'.repeat(5_000)}`)).toEqual([]);
});

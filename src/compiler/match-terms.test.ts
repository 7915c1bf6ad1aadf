import { describe, expect, test } from 'vitest';
import type { MatchTerms } from '../model/rule.ts';
import { Findings } from './findings.ts';
import { load } from './load.ts';

/** The terms of one criterion, and what Falco Talon would print about it. */
function termsOf(criterion: string, value: unknown): { terms: MatchTerms; errors: readonly string[] } {
  const findings = new Findings();
  const text = `- rule: r\n  match: {${criterion}: ${JSON.stringify(value)}}\n  actions: [{action: a, actionner: a:b}]\n`;
  const [rule] = load([{ path: 'rules.yaml', text }], {}, findings).rules;
  if (!rule) throw new Error('no rule');
  return { terms: rule.terms, errors: findings.records.map(({ error }) => error) };
}

const LEVELS = ['', 'debug', 'informational', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

function bits(...levels: string[]): number {
  return levels.reduce((set, level) => set | (1 << LEVELS.indexOf(level)), 0);
}

describe('priority', () => {
  test.each([
    ['warning', bits('warning')],
    ['=Warning', bits('warning')],
    ['>=Warning', bits(...LEVELS.slice(4))],
    ['>WARNING', bits(...LEVELS.slice(5))],
    ['<Warning', bits(...LEVELS.slice(0, 4))],
    ['<=warning', bits(...LEVELS.slice(0, 5))],
    ['>emergency', 0],
    ['<debug', bits('')],
    ['Info', bits('informational')],
    ['>=info', bits(...LEVELS.slice(2))],
    ...['', '=', '<', '>', '<=', '>='].map((text): [string, number] => [text, 0b1_1111_1111]),
  ])('%j', (text, accepts) => {
    const { terms, errors } = termsOf('priority', text);
    expect(errors).toEqual([]);
    expect(terms.priority).toEqual({ text, accepts });
  });

  test.each([
    '==Warning',
    '!=Warning',
    '>= Warning',
    ' Warning',
    'Warning ',
    '=>Warning',
    'Warn',
    '>=Warning,<Error',
    '4',
  ])('%j is refused', (text) => expect(termsOf('priority', text).errors).toEqual([`incorrect priority '${text}'`]));
});

describe('tags', () => {
  test.each([
    [['a'], [['a']]],
    [
      ['container, T1059', 'host'],
      [['container', 'T1059'], ['host']],
    ],
    [[' a b '], [['ab']]],
    [
      ['NIST_800-53', 'a/b', 'é*'],
      [['NIST_800-53'], ['a/b'], ['é*']],
    ],
    [[], []],
  ])('%j', (given, tags) => {
    const { terms, errors } = termsOf('tags', given);
    expect(errors).toEqual([]);
    expect(terms.tags).toEqual(tags);
  });

  test.each([
    ['', ['']],
    ['  ', ['']],
    [',a', ['']],
    ['a,,', ['', '']],
    ['a\tb', ['a\tb']],
    ['a\u00a0b', ['a\u00a0b']],
  ])('%j is refused', (item, wrong) =>
    expect(termsOf('tags', [item]).errors).toEqual(wrong.map((tag) => `incorrect tag '${tag}'`)),
  );
});

describe('output_fields', () => {
  test.each([
    ['a=b', [['a', '=', 'b']]],
    [
      'k8s.ns.name!=shop, user.uid=0',
      [
        ['k8s.ns.name', '!=', 'shop'],
        ['user.uid', '=', '0'],
      ],
    ],
    ['a=', [['a', '=', '']]],
    ['a="b c"', [['a', '=', 'b c']]],
    ['a= b ', [['a', '=', ' b ']]],
    ['a=b=c', [['a', '=', 'b=c']]],
    ['a!=b!c', [['a', '!=', 'b!c']]],
    ['a=x!=y', [['a', '=', 'x!=y']]],
    ['a!==b', [['a', '!=', '=b']]],
    ['a=<b>', [['a', '=', '<b>']]],
    ['ka.req.pod.host_network=true', [['ka.req.pod.host_network', '=', 'true']]],
    ['k8s.pod.label[app.kubernetes.io/name]=x', [['k8s.pod.label[app.kubernetes.io/name]', '=', 'x']]],
    ['proc.args[0]=-la', [['proc.args[0]', '=', '-la']]],
    ['a=<nil>', [['a', '=', '<nil>']]],
    ['a=b\nc', [['a', '=', 'b\nc']]],
  ])('%j', (item, wanted) => {
    const { terms, errors } = termsOf('output_fields', [item]);
    expect(errors).toEqual([]);
    expect(terms.output_fields).toEqual([wanted.map(([key, operator, value]) => ({ key, operator, value }))]);
  });

  test.each([
    ['a', ['a']],
    ['', ['']],
    [',', ['', '']],
    ['=b', ['=b']],
    ['!=b', ['!=b']],
    ['a =b', ['a =b']],
    [' a=b', [' a=b']],
    ['a=b,  c=d', [' c=d']],
    ['user.uid>=1000', ['user.uid>=1000']],
    ['a!b', ['a!b']],
    ['"a"=b', ['"a"=b']],
    ['a\tb=c', ['a\tb=c']],
    ['a\n=b', ['a\n=b']],
    ['a=b, c', ['c']],
    ['a=1, b, c=2, d', ['b', 'd']],
  ])('%j is refused', (item, wrong) => {
    const errors = wrong.map((part) => `incorrect output field key '${part}'`);
    expect(termsOf('output_fields', [item]).errors).toEqual(errors);
  });
});

test('a value that nests deeper than the engine compares is refused in its place', () => {
  const findings = new Findings();
  const value = `[${'['.repeat(500)}${']'.repeat(501)}`;
  const text = `- rule: r\n  match: {output_fields: ["a=b,c=${value}"]}\n  actions: [{action: a, actionner: a:b}]\n`;
  load([{ path: 'rules.yaml', text }], {}, findings);
  const [found] = findings.sorted();
  expect(found).toMatchObject({ code: 'T1214', severity: 'error', place: { line: 2, column: 32 } });
});

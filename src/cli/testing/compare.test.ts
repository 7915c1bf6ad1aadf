import { describe, expect, test } from 'vitest';
import type { Parameters } from '../../compiler/blocks.ts';
import { readYaml } from '../../compiler/read-yaml.ts';
import { Source } from '../../compiler/source.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ParameterMap, Plan, PlannedAction } from '../../model/rule.ts';
import { compareDiagnostics, comparePlan, compareRules } from './compare.ts';

/** Expected parameters, as a test file has them. */
function parameters(text: string): Parameters {
  const [root] = readYaml(new Source('a.test.yaml', text)).documents;
  if (root?.kind !== 'map') throw new Error('no map');
  return root.entries;
}

function action(name: string, actionner: string, parameters: ParameterMap | null = null): PlannedAction {
  const settings = { description: '', continue: true, ignore_errors: false, additional_contexts: [], output: null };
  return { action: name, actionner, parameters, ...settings, written: {} };
}

const plan: Plan = {
  revision: 'r',
  rules: [
    {
      rule: 'First',
      description: '',
      continue: true,
      dry_run: false,
      notifiers: [],
      written: {},
      actions: [
        action('Label', 'kubernetes:label', { labels: { a: '1', b: '2' }, level: 'pod' }),
        action('End', 'kubernetes:terminate'),
      ],
    },
    {
      rule: 'Second',
      description: '',
      continue: true,
      dry_run: true,
      notifiers: [],
      written: {},
      actions: [action('Isolate', 'kubernetes:networkpolicy', { allow_cidr: ['10.0.0.0/8'], n: 5 })],
    },
  ],
};

test('a label is a text, however the test spells it', () => {
  const [label] = plan.rules[0]?.actions ?? [];
  const labeled = {
    ...plan,
    rules: plan.rules.slice(0, 1).map((rule) => ({ ...rule, actions: label ? [label] : [] })),
  };
  expect(comparePlan([{ parameters: parameters('{labels: {a: 1}}') }], labeled)).toEqual([]);
  expect(comparePlan([{ parameters: parameters('{labels: {a: 1.0}}') }], labeled)).toEqual([
    'action 1: expected parameters.labels.a 1, got "1"',
  ]);
});

describe('rules', () => {
  test('the same names in the same order', () => {
    expect(compareRules(['a', 'b'], ['a', 'b'])).toEqual([]);
    expect(compareRules([], [])).toEqual([]);
    expect(compareRules(['a', 'b'], ['b', 'a'])).toEqual(['expected rules `a`, `b`, got rules `b`, `a`']);
    expect(compareRules(['a'], [])).toEqual(['expected rules `a`, got no rules']);
    expect(compareRules([], ['a'])).toEqual(['expected no rules, got rules `a`']);
  });
});

describe('plan', () => {
  test('what is left out may be anything, parameters may be a part', () => {
    expect(comparePlan([{}, {}, {}], plan)).toEqual([]);
    expect(
      comparePlan(
        [
          { rule: 'First', action: 'Label', parameters: parameters('{labels: {b: "2"}}') },
          { actionner: 'kubernetes:terminate', parameters: parameters('{}') },
          { dry_run: true, parameters: parameters('{allow_cidr: [10.0.0.0/8]}') },
        ],
        plan,
      ),
    ).toEqual([]);
  });

  test.each([
    [{ rule: 'Second' }, 'action 1: expected rule "Second", got "First"'],
    [{ action: 'label' }, 'action 1: expected action "label", got "Label"'],
    [{ actionner: 'x:y' }, 'action 1: expected actionner "x:y", got "kubernetes:label"'],
    [{ dry_run: true }, 'action 1: expected dry_run true, got false'],
    [{ parameters: parameters('{labels: {a: "2"}}') }, 'action 1: expected parameters.labels.a "2", got "1"'],
    [{ parameters: parameters('{labels: {c: ""}}') }, 'action 1: expected parameters.labels.c, which is not there'],
    [{ parameters: parameters('{toString: x}') }, 'action 1: expected parameters.toString, which is not there'],
    [{ parameters: parameters('{level: [pod]}') }, 'action 1: expected parameters.level ["pod"], got "pod"'],
  ])('%j', (wanted, problem) => {
    expect(comparePlan([wanted, {}, {}], plan)).toEqual([problem]);
  });

  test('lists must be equal, and numbers are no texts', () => {
    const wanted = { parameters: parameters('{allow_cidr: [10.0.0.0/8, "::/0"], n: "5"}') };
    expect(comparePlan([{}, {}, wanted], plan)).toEqual([
      'action 3: expected parameters.allow_cidr ["10.0.0.0/8","::/0"], got ["10.0.0.0/8"]',
      'action 3: expected parameters.n "5", got 5',
    ]);
  });

  test('one action too many or too few', () => {
    expect(comparePlan([{}, {}], plan)).toEqual(['expected 2 planned actions, got actions `Label`, `End`, `Isolate`']);
    expect(comparePlan([{}], { revision: 'r', rules: [] })).toEqual(['expected 1 planned actions, got no actions']);
  });
});

describe('diagnostics', () => {
  const found: Diagnostic[] = [
    {
      code: 'T1301',
      severity: 'error',
      message: 'unknown actionner `x`',
      place: { file: 'f', line: 4, column: 9, length: 1 },
    },
    { code: 'T1509', severity: 'warning', message: 'not used' },
  ];

  test('one to one, each as far as it is given', () => {
    expect(compareDiagnostics([{ message: 'unknown actionner', line: 4 }, { severity: 'warning' }], found)).toEqual([]);
    expect(compareDiagnostics([{ code: 'T1301' }], found)).toEqual([
      'expected 1 diagnostics, got diagnostics `T1301 unknown actionner `x``, `T1509 not used`',
    ]);
    expect(compareDiagnostics([{ line: 5, column: 9, message: 'known' }, { line: 1 }], found)).toEqual([
      'diagnostic 1: expected line 5, got 4',
      'diagnostic 2: expected line 1, got none',
    ]);
    expect(compareDiagnostics([{ message: 'nothing' }, {}], found)).toEqual([
      'diagnostic 1: expected a message with `nothing`, got `unknown actionner `x``',
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { terminate } from '../actionners/kubernetes/terminate.ts';
import { ConditionEvent } from './condition-event.ts';
import { decodeEvent } from './decode-event.ts';
import { parseGuardExpression } from './guard-expression.ts';
import { GuardAction, GuardCounts, GuardRule, GuardTarget, type GuardVariables } from './guard-variables.ts';
import type { PodFacts } from './target-facts.ts';

const POD: PodFacts = {
  namespace: 'shop',
  name: 'cart-1',
  uid: 'u1',
  labels: { app: 'cart' },
  owner: { kind: 'DaemonSet', name: 'cart' },
  node: 'node-1',
  containerIds: [],
};
const NODE = {
  name: 'node-1',
  labels: { zone: 'a', 'node-role.kubernetes.io/control-plane': '' },
  hostnames: ['node-1'],
};

function variables({ alert = {}, bare = false }: { alert?: object; bare?: boolean } = {}): GuardVariables {
  const decoded = decodeEvent(new TextEncoder().encode(JSON.stringify(alert)));
  if (!decoded.ok) throw new Error('no alert');
  const facts = bare ? { verified: false } : { pod: POD, node: NODE, verified: true };
  return {
    event: new ConditionEvent(decoded.event),
    rule: new GuardRule('Kill it'),
    action: new GuardAction('Kill', terminate, bare ? null : { GRACE_PERIOD_SECONDS: 5 }),
    target: new GuardTarget({ resource: 'pods', namespace: 'shop', name: 'cart-1' }, facts),
    now: new Date('2026-03-01T23:30:00Z'),
    counts: new GuardCounts({ rule: 1, target: 2, namespace: 3, actionner: 4 }),
  };
}

function evaluate(text: string, given: GuardVariables): boolean {
  const parsed = parseGuardExpression(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.faults.map(({ message }) => message).join('; ')}`);
  return parsed.expression.evaluate(given);
}

/** Where an expression is refused: the kind of each fault and the text that it is about. */
function faults(text: string): readonly string[] {
  const parsed = parseGuardExpression(text);
  return parsed.ok
    ? []
    : parsed.faults.map(({ kind, offset, length }) => `${kind}: ${text.slice(offset, offset + length)}`);
}

describe('what guards see', () => {
  test.each([
    ['target.namespace == "shop" && target.pod == "cart-1" && target.resource == "pods"', true],
    ['has(target.owner) && target.owner.kind == "DaemonSet"', true],
    ['has(target.node) && target.node.control_plane', true],
    ['has(target.node) && "zone" in target.node.labels && target.node.labels["zone"] == "a"', true],
    ['target.labels.exists(key, target.labels[key] == "cart")', true],
    ['!target.verified', false],
    ['rule.name == "Kill it" && action.name == "Kill" && action.destructive', true],
    ['action.actionner == "kubernetes:terminate"', true],
    ['has(action.parameters.grace_period_seconds) && action.parameters.grace_period_seconds == 5', true],
    ['counts.rule == 1 && counts.target == 2 && counts.namespace == 3 && counts.actionner == 4', true],
    ['now.getHours() >= 22 || now.getHours() < 6', true],
    ['now.getHours("Europe/Berlin") == 0 && now.getDayOfWeek() == 0', true],
    ['now > timestamp("2026-01-01T00:00:00Z")', true],
    ['event.priority == "Critical"', false],
  ])('%s', (text, expected) => {
    expect(evaluate(text, variables())).toBe(expected);
  });

  test('what is not there is told by has and in', () => {
    const bare = variables({ bare: true });
    expect(evaluate('has(target.owner) || has(target.node) || size(target.labels) > 0', bare)).toBe(false);
    expect(evaluate('"grace_period_seconds" in action.parameters', bare)).toBe(false);
    expect(evaluate('has(event.output_fields.user)', bare)).toBe(false);
  });

  test.each([
    ['rule.name == "x"', 'none'],
    ['target.namespace == "x" || target.pod == "y"', 'none'],
    ['has(target.owner)', 'pod'],
    ['"a" in target.labels', 'pod'],
    ['has(target.node) && target.node.name == "x"', 'pod'],
    ['has(target.node) && target.node.control_plane', 'node'],
    ['has(target.node) && target["node"].control_plane', 'node'],
    ['!target.verified', 'node'],
  ])('%s needs of the API server: %s', (text, needs) => {
    const parsed = parseGuardExpression(text);
    expect(parsed.ok && parsed.expression.needs).toBe(needs);
  });

  test('a result of another type is an error', () => {
    const parsed = parseGuardExpression('"a" in event.output_fields && event.output_fields["a"]');
    if (!parsed.ok) throw new Error('refused');
    expect(() => parsed.expression.evaluate(variables({ alert: { output_fields: { a: 'x' } } }))).toThrow();
  });
});

describe('what may be missing must be looked for first', () => {
  test.each([
    ['target.owner.kind == "DaemonSet"', ['target.owner']],
    ['target.owner.kind == "x" && has(target.owner)', ['target.owner']],
    ['has(target.owner) || target.owner.kind == "x"', ['target.owner']],
    ['!has(target.owner) && target.owner.kind == "x"', ['target.owner']],
    ['has(target.owner) ? true : target.owner.kind == "x"', ['target.owner']],
    ['(has(target.owner) || target.verified) && target.owner.kind == "x"', ['target.owner']],
    ['has(target.owner.kind)', ['target.owner']],
    ['has(target.node) && target.node.labels["a"] == "b"', ['target.node.labels["a"]']],
    ['event.output_fields["a"] == "b"', ['event.output_fields["a"]']],
    ['event.output_fields.a == event.output_fields["b"]', ['event.output_fields.a', 'event.output_fields["b"]']],
    ['"b" in event.output_fields && event.output_fields["a"] == "b"', ['event.output_fields["a"]']],
    ['target.labels.a == "b"', ['target.labels.a']],
    ['action.parameters.a == 1', ['action.parameters.a']],
    ['has(action.parameters.a) && action.parameters.a.b == 1', ['action.parameters.a.b']],
    ['["a"].exists(key, target.labels[key] == "b")', ['target.labels[key]']],
    ['target.labels.exists(key, target.labels[key] == "b") && target.labels["key"] == ""', ['target.labels["key"]']],
    ['target.labels.exists(key, ["x"].exists(key, target.labels[key] == "b"))', ['target.labels[key]']],
    ['["a"].exists(k, has(target.owner)) && target.owner.kind == "x"', ['target.owner']],
    ['event.tags.exists(tag, tag.name == "x")', ['tag.name']],
    ['event.tags[0] == "x"', ['event.tags[0]']],
    ['has(event.output_fields.a) && event.output_fields["a"].b == 1', ['event.output_fields["a"].b']],
    ['event.rule in event.output_fields && event.output_fields[event.rule] == 1', ['event.output_fields[event.rule]']],
    ['{"a": 1}[target.namespace] == 1', ['{"a": 1}[target.namespace]']],
    ['dyn(target).verified', ['dyn(target).verified']],
    ['size(event.output_fields["a"]) > 0', ['event.output_fields["a"]']],
    ['event.rule.startsWith("a") && string(target.owner.name).startsWith("x")', ['target.owner']],
    ['["a", event.output_fields["a"]].exists(x, x == "b")', ['event.output_fields["a"]']],
    ['["a"].exists(target, target == "b")', ['target']],
  ])('%s', (text, places) => {
    expect(faults(text)).toEqual(places.map((place) => `missing: ${place}`));
  });

  test.each([
    'has(target.owner) && target.owner.kind == "x"',
    '!has(target.owner) || target.owner.kind == "x"',
    '!(has(target.owner) && target.owner.kind == "x")',
    '!(!has(target.owner) || target.owner.kind == "x") && target.owner.name == "y"',
    'has(target.owner) ? target.owner.kind == "x" : false',
    '(has(target.owner) ? target.owner.kind == "x" : false) && target.owner.name == "y"',
    'has(target.owner) && has(target.node) && target.owner.name == target.node.name',
    '(has(target.owner) || false) && target.owner.name == "x"',
    'has(target.node) && has(target.node.labels.a) && target.node.labels["a"] == "b"',
    '"a.b" in event.output_fields && event.output_fields["a.b"] == "c"',
    'has(event.output_fields.a) && event.output_fields["a"] == "c"',
    '["a", "b"].exists(key, key in target.labels && target.labels[key] == "c")',
    'target.labels.all(key, target.labels[key] != "x")',
    'has(action.parameters.labels) && has(action.parameters.labels.a) && action.parameters.labels.a == "b"',
    'event.tags.exists(tag, tag == "x")',
    'false && target.owner.kind == "x"',
  ])('%s is fine', (text) => {
    expect(faults(text)).toEqual([]);
  });

  test.each([
    ['int(event.time) > 1', 'int(event.time)'],
    ['timestamp(event.time) < now', 'timestamp(event.time)'],
    ['timestamp("soon") < now', '"soon"'],
    ['now.getHours("Europe/Nowhere") == 1', '"Europe/Nowhere"'],
    ['10 / size(event.tags) > 1', 'size(event.tags)'],
    ['10 % 0 > 1', '0'],
    ['event.rule.substring(1, 2) == "a"', 'event.rule.substring(1, 2)'],
  ])('%s could fail', (text, place) => {
    expect(faults(text)).toEqual([`failing: ${place}`]);
  });

  test.each([
    ['target.nmae == "x"', 'nmae'],
    ['target.namespace == 1', 'target.namespace == 1'],
    ['target.namespace', 'target.namespace'],
    ['pod.name == "x"', 'pod'],
    ['target.namespace ==', ''],
    ['has(target.labels["a"])', 'target.labels["a"]'],
  ])('%s is malformed', (text, place) => {
    expect(faults(text)).toEqual([`malformed: ${place}`]);
  });
});

/** Expressions that look for some of the optional values and read some, more or less in order. */
const expression: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      ...['has(target.owner)', '"a" in event.output_fields', 'has(event.output_fields.b)', '"app" in target.labels'],
      ...['target.owner.kind == "DaemonSet"', 'event.output_fields["a"] == "x"', 'event.output_fields.b == 1'],
      ...['target.labels["app"] == "cart"', 'true', 'false', 'target.verified', 'event.rule == "r"'],
      ...[
        'target.labels.exists(k, target.labels[k] == "x")',
        '["app"].exists(k, k in target.labels && target.labels[k] == "")',
      ],
    ),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}) && (${b})`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}) || (${b})`),
    fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `((${a}) ? (${b}) : (${c}))`),
    tie('any').map((a) => `!(${a})`),
    tie('any').map((a) => `["v"].all(v, ${a})`),
  ),
})).any;

test('an expression that is accepted never fails, whatever is left out', () => {
  let accepted = 0;
  fc.assert(
    fc.property(expression, fc.subarray(['a', 'b'] as const), fc.boolean(), (text, fields, bare) => {
      const parsed = parseGuardExpression(text);
      if (!parsed.ok) return;
      accepted++;
      const output_fields = Object.fromEntries(fields.map((name) => [name, 'x']));
      parsed.expression.evaluate(variables({ alert: { rule: 'r', output_fields }, bare }));
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(200);
});

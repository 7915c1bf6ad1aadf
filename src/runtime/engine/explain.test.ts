import { expect, test } from 'vitest';
import { ruleWith } from '../../../conformance-tests/rule-with.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { explainRule } from './explain.ts';

const RULE = ruleWith({
  rules: ['Shell', 'Other'],
  priority: { text: '>=Warning', accepts: 0b1_1111_0000 },
  source: 'syscall',
  tags: [['container', 'host'], ['T1059']],
  output_fields: [
    [
      { key: 'proc.pid', operator: '=', value: '4194304' },
      { key: 'k8s.ns.name', operator: '!=', value: 'shop' },
    ],
    [{ key: 'absent', operator: '=', value: 'x' }],
  ],
  condition: 'event.rule == "Shell" && (event.hostname == "a" || event.hostname == "b")',
});

function explain(body: string) {
  const decoded = decodeEvent(new TextEncoder().encode(body));
  if (!decoded.ok) throw new Error('not an alert');
  return explainRule(RULE, decoded.event);
}

test('every term has its verdict and a sentence', () => {
  const explanation = explain(
    '{"rule":"Shell","priority":"Notice","tags":["T1059","container"],"output_fields":{"proc.pid":4194304,"k8s.ns.name":"shop"}}',
  );
  expect(explanation.matches).toBe(false);
  expect(explanation.terms.map(({ path, text, holds, why }) => [path, text, holds, why])).toEqual([
    ['match.rules[0]', 'Shell', true, 'rule is `Shell`'],
    ['match.rules[1]', 'Other', false, 'rule is `Shell`, wants `Other`'],
    ['match.priority', '>=Warning', false, 'priority is `Notice` (Notice, 3), wants `>=Warning`'],
    ['match.source', 'syscall', true, 'source is `syscall`'],
    ['match.tags[0][0]', 'container', true, '`container` is a tag of the alert'],
    ['match.tags[0][1]', 'host', false, '`host` is not among the tags of the alert'],
    ['match.tags[1][0]', 'T1059', true, '`T1059` is a tag of the alert'],
    ['match.output_fields[0][0]', 'proc.pid=4194304', true, 'proc.pid is `4194304` or `4.194304e+06`, wants `4194304`'],
    ['match.output_fields[0][1]', 'k8s.ns.name!=shop', false, 'k8s.ns.name is `shop`, wants anything but `shop`'],
    ['match.output_fields[1][0]', 'absent=x', false, 'the alert has no field `absent`'],
    ['match.condition[0]', 'event.rule == "Shell"', true, 'the expression is true'],
    [
      'match.condition[1]',
      'event.hostname == "a" || event.hostname == "b"',
      false,
      'the expression is false, or reads what the alert does not have',
    ],
  ]);
});

test('an unknown priority counts as 0', () => {
  expect(explain('{"priority":"loud"}').terms[2]?.why).toBe(
    'priority is `loud` (no known priority, counts as 0), wants `>=Warning`',
  );
});

test('what an alert says is cut and cannot act on a terminal', () => {
  const why = explain(`{"rule":"\\u001b[31m\\n\\u009b\u202e\\u00e9${'x'.repeat(1000)}"}`).terms[0]?.why ?? '';
  expect(why).not.toMatch(/[\p{C}\u2028\u2029]/u);
  expect(why).toContain('\\u001b[31m\\n\\u009b\\u202eé');
  expect(why.length).toBeLessThan(300);
});

import { describe, expect, test } from 'vitest';
import { ruleWith } from '../../../conformance-tests/rule-with.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { FieldTerm, MatchTerms } from '../../model/rule.ts';
import { interpret } from './interpret.ts';

function event(body: string): FalcoEvent {
  const decoded = decodeEvent(new TextEncoder().encode(body));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}

const rule = (match: Partial<MatchTerms>, goesOn = true) => ruleWith(match, { continue: goesOn });
const term = (key: string, operator: '=' | '!=', value: string): FieldTerm => ({ key, operator, value });
const matches = (match: Partial<MatchTerms>, alert: FalcoEvent) => interpret([rule(match)], alert).length === 1;

const SHELL = event(`{"rule":"Shell","priority":"Notice","tags":["container","T1059","container",5],
  "output_fields":{"k8s.ns.name":"shop","user.uid":0,"proc.pid":4194304,"proc.tty":null,"x":true,"list":["a",1]}}`);

describe('a rule', () => {
  test.each<[string, Partial<MatchTerms>, boolean]>([
    ['without criteria', {}, true],
    ['names, exactly', { rules: ['shell'] }, false],
    ['names, any of them', { rules: ['Other', 'Shell'] }, true],
    ['priority in the set', { priority: { text: '>=Notice', accepts: 0b1_1111_1000 } }, true],
    ['priority not in the set', { priority: { text: '>Notice', accepts: 0b1_1111_0000 } }, false],
    ['source with its default', { source: 'syscall' }, true],
    ['another source', { source: 'syscalls' }, false],
    ['all tags of a list, however often the alert repeats one', { tags: [['container', 'T1059']] }, true],
    ['one tag of a list missing', { tags: [['container', 'host']] }, false],
    ['any of the lists of tags', { tags: [['host'], ['T1059']] }, true],
    ['a number is no tag', { tags: [['5']] }, false],
    ['all terms of a list', { output_fields: [[term('k8s.ns.name', '=', 'shop'), term('user.uid', '=', '0')]] }, true],
    ['one term failing', { output_fields: [[term('k8s.ns.name', '=', 'shop'), term('user.uid', '!=', '0')]] }, false],
    ['any of the lists', { output_fields: [[term('k8s.ns.name', '!=', 'shop')], [term('user.uid', '=', '0')]] }, true],
    ['an absent field is not equal', { output_fields: [[term('absent', '=', '')]] }, false],
    ['an absent field differs', { output_fields: [[term('absent', '!=', '')]] }, true],
    ['plain digits', { output_fields: [[term('proc.pid', '=', '4194304')]] }, true],
    ["Talon's exponent", { output_fields: [[term('proc.pid', '=', '4.194304e+06')]] }, true],
    ['neither form', { output_fields: [[term('proc.pid', '!=', '4.194304e+06')]] }, false],
    ['null', { output_fields: [[term('proc.tty', '=', '<nil>')]] }, true],
    ['a list', { output_fields: [[term('list', '=', '[a 1]')]] }, true],
    ['a condition that holds', { condition: 'event.output_fields["user.uid"] == 0' }, true],
    ['a condition that fails', { condition: 'event.output_fields["absent"] == 0' }, false],
    ['all criteria', { rules: ['Shell'], tags: [['host']] }, false],
  ])('%s', (_, match, expected) => {
    expect(matches(match, SHELL)).toBe(expected);
  });

  test('an alert without tags and fields matches no list of them', () => {
    expect(matches({ tags: [['a']] }, event('{}'))).toBe(false);
    expect(matches({ output_fields: [[term('a', '=', '')]] }, event('{}'))).toBe(false);
    expect(matches({ output_fields: [[term('a', '!=', '')]] }, event('{}'))).toBe(true);
  });
});

test('matches come in order and stop after a rule that does not continue', () => {
  const rules = [rule({ rules: ['Other'] }, false), rule({}), rule({ rules: ['Shell'] }, false), rule({})];
  expect(interpret(rules, SHELL)).toEqual([1, 2]);
});

test('a condition that the compiler would have refused is a fault of the deployment', () => {
  expect(() => interpret([rule({ condition: 'event.' })], SHELL)).toThrow(/condition `event\.`/);
});

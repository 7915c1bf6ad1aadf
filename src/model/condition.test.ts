import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateCondition, parseCondition } from './condition.ts';
import { decodeEvent } from './decode-event.ts';
import type { FalcoEvent } from './falco-event.ts';

function event(body: string): FalcoEvent {
  const decoded = decodeEvent(new TextEncoder().encode(body));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}

function condition(text: string) {
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.condition;
}

const SHELL = event(`{
  "rule": "Shell", "priority": "Notice", "source": "", "hostname": "node-1", "time": "2024-01-02T03:04:05Z",
  "output": "12:00:00.000000000: Notice Shell opened", "tags": ["container", "T1059", 5],
  "output_fields": {
    "proc.name": "bash", "fd.sport": 443, "evt.time": 1717000000000000001, "huge": 18446744073709551616,
    "ratio": 5.0, "out": 1e400, "proc.tty": null, "yes": true, "list": ["a", 1], "map": {"k": "v"}, "plain": "x"
  }
}`);

describe('evaluateCondition', () => {
  test.each([
    'event.rule == "Shell"',
    'timestamp(event.time).getHours("Europe/Berlin") == timestamp(event.time).getHours() + 1',
    'event.priority == "Notice" && event.source == "syscall" && event.hostname == "node-1"',
    'event.output == "Shell opened"',
    'timestamp(event.time).getFullYear() == 2024',
    'event.output_fields["proc.name"] in ["bash", "sh"]',
    'event.output_fields.plain == "x"',
    'event.output_fields["fd.sport"] > 442 && event.output_fields["fd.sport"] < 443.5',
    'event.output_fields["fd.sport"] == 443.0',
    'event.output_fields["evt.time"] == 1717000000000000001',
    'event.output_fields["evt.time"] != 1717000000000000000',
    'event.output_fields["huge"] == 18446744073709551616.0',
    'event.output_fields["ratio"] == 5',
    'event.output_fields["out"] > 1e308',
    'event.output_fields["proc.tty"] == null',
    'event.output_fields["yes"]',
    'event.output_fields["list"] == ["a", 1]',
    'event.output_fields["map"].k == "v"',
    '"proc.tty" in event.output_fields && !("proc.pid" in event.output_fields)',
    'has(event.output_fields.plain) && !has(event.output_fields.absent)',
    '"T1059" in event.tags && 5 in event.tags && event.tags.size() == 3',
    'event.tags.exists(tag, tag == "container")',
    'event.tags.exists(tag, ["T10", "T11"].exists(start, type(tag) == string && tag.startsWith(start)))',
    '["Sh", "xx"].exists(start, event.rule.startsWith(start))',
    'event.output.contains("opened") && event.rule.endsWith("ll")',
    'event.output_fields["proc.name"].matches("^ba.h$")',
    // values of different types are unequal, which is no error
    'event.output_fields["proc.name"] != 5 && event.output_fields["fd.sport"] != "443"',
    '!(event.output_fields["list"] == "[a 1]")',
    // an error disappears where the other side decides
    'event.output_fields["absent"] == "x" || event.rule == "Shell"',
  ])('holds: %s', (text) => {
    expect(evaluateCondition(condition(text), SHELL)).toBe(true);
  });

  test.each([
    'event.rule == "shell"',
    'event.output_fields["absent"] == "x"',
    'event.output_fields["absent"] != "x"',
    '!(event.output_fields["absent"] == "x")',
    'event.output_fields["proc.name"] > 5',
    'event.output_fields["fd.sport"].startsWith("4")',
    'event.output_fields["fd.sport"]',
    'event.tags.all(tag, tag.startsWith("c"))',
    'event.tags[7] == "x"',
  ])('does not hold: %s', (text) => {
    expect(evaluateCondition(condition(text), SHELL)).toBe(false);
  });

  test('an absent list or map is empty', () => {
    const text = 'event.tags.size() == 0 && event.output_fields.size() == 0 && event.rule == ""';
    expect(evaluateCondition(condition(text), event('{}'))).toBe(true);
  });

  test('what lies deeper than a hundred levels is null', () => {
    const nested = (depth: number) => event(`{"output_fields":{"a":${'['.repeat(depth)}1${']'.repeat(depth)}}}`);
    const deep = (depth: number) => `event.output_fields["a"]${'[0]'.repeat(depth)}`;
    expect(evaluateCondition(condition(`${deep(60)} == 1`), nested(60))).toBe(true);
    expect(evaluateCondition(condition('event.output_fields["a"] != "x"'), nested(9_000))).toBe(true);
  });

  test('macros visit 10,000 elements together, more are an error', () => {
    const tags = (count: number) => event(`{"tags":[${Array.from({ length: count }, () => '0').join(',')}]}`);
    expect(evaluateCondition(condition('event.tags.all(t, t == 0)'), tags(10_000))).toBe(true);
    expect(evaluateCondition(condition('event.tags.all(t, t == 0)'), tags(10_001))).toBe(false);
    expect(evaluateCondition(condition('event.tags.all(t, [0, 1].exists(n, t == n))'), tags(4_000))).toBe(false);
    expect(evaluateCondition(condition('0 in event.tags'), tags(100_000))).toBe(true);
    const erring = condition('event.tags.exists(t, t.startsWith("x")) || event.output_fields.exists(k, k == "x")');
    const before = process.cpuUsage();
    expect(evaluateCondition(erring, tags(300_000))).toBe(false);
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });

  test('a pattern takes time in proportion to the text', () => {
    const before = process.cpuUsage();
    const text = condition('event.rule.matches("(a+)+$")');
    expect(evaluateCondition(text, event(`{"rule":"${'a'.repeat(60_000)}b"}`))).toBe(false);
    expect(evaluateCondition(text, event(`{"rule":"${'a'.repeat(60_000)}"}`))).toBe(true);
    expect(evaluateCondition(text, event(`{"rule":"${'a'.repeat(70_000)}"}`))).toBe(false);
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });
});

describe('parseCondition', () => {
  test.each<[string, string, string]>([
    ['event.rule ==', '', 'unexpected token'],
    ['event.rule == "a', '"a', 'unterminated string'],
    ['event.foo == "x"', 'foo', 'no such key: foo'],
    ['alert.rule == "x"', 'alert', 'unknown variable: alert'],
    ['event.rule == 1', 'event.rule == 1', 'no such overload: string == int'],
    ['true && event.rule', 'true && event.rule', 'logical operator requires bool operands'],
    ['event.rule', 'event.rule', 'a condition is true or false, this is string'],
    ['event.rule.matches(event.output)', 'event.output', 'the argument of `matches` must be a text'],
    ['event.rule.matches("a" + "b")', '"a" + "b"', 'the argument of `matches` must be a text'],
    ['["a"].exists(p, event.rule.matches(p))', 'p', 'the argument of `matches` must be a text'],
    ['event.rule.matches("a(")', '"a("', 'not a pattern of RE2'],
    ['event.rule.matches("(?=a)")', '"(?=a)"', 'not a pattern of RE2'],
    ['event.rule.matches(5)', '5', 'a pattern is a text'],
    ['event.tags.matches("a")', 'event.tags.matches("a")', "found no matching overload for 'list.matches(string)'"],
    ['event.rule.contains(event.output)', 'event.output', 'the argument of `contains` must be a text'],
    ['event.rule.matchesInLinearTime("a")', 'event.rule.matchesInLinearTime("a")', 'unknown function'],
    ['bytes("{}").json() == {}', 'bytes("{}").json()', 'unknown function `json`'],
    ['cel.bind(x, event, x.rule == "")', 'cel.bind(x, event, x.rule == "")', 'unknown function `bind`'],
    ['timestamp(event.time).getHours("+02:00") == 1', '"+02:00"', 'the time zone of `getHours` must be a name'],
    ['timestamp(event.time).getDate(event.rule) == 1', 'event.rule', 'the time zone of `getDate` must be a name'],
    ['event.tags.exists(t, t in event.tags)', 'event', '`event` cannot be read inside a macro'],
    ['event.tags.exists(t, t.exists(u, t == u))', 't', '`t` cannot be read inside a macro'],
    ['event.tags.exists(event, event == "")', 'event', 'a macro cannot name its variable `event`'],
    ['event.output_fields.proc.name == "x"', 'event.output_fields.proc.name', 'event.output_fields["proc.name"]'],
    [
      'event.output_fields.proc.name.startsWith("x")',
      'event.output_fields.proc.name',
      'event.output_fields["proc.name"]',
    ],
    ['"x" == "x" && event.output_fields.a.b.c == "x"', 'event.output_fields.a.b', 'event.output_fields["a.b"]'],
  ])('%s', (text, blamed, message) => {
    const parsed = parseCondition(text);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringContaining(message) });
    if (!parsed.ok && blamed) expect(text.slice(parsed.offset, parsed.offset + parsed.length)).toBe(blamed);
  });

  test.each([
    ['long', `"${'a'.repeat(40_000)}" == event.rule`],
    ['deep', `${'('.repeat(10_000)}true${')'.repeat(10_000)}`],
    ['negated', `${'!'.repeat(30_000)}true`],
    ['wide', Array.from({ length: 4_000 }, () => 'true').join('&&')],
    ['a long list', `event.rule in [${'"",'.repeat(2_000)}""]`],
    ['a big pattern', 'event.rule.matches("(((a{500}){500}){500})")'],
  ])('an expression that is too %s is refused', (_, text) => {
    expect(parseCondition(text)).toMatchObject({ ok: false });
  });

  test('any text is parsed or refused at a place inside it', () => {
    const word = fc.constantFrom(
      'event',
      '.',
      'rule',
      '"',
      'a',
      '==',
      '(',
      ')',
      '[',
      ']',
      '1',
      '&&',
      '!',
      'matches',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const text = words.join('');
        const parsed = parseCondition(text);
        if (parsed.ok) return;
        expect(parsed.offset).toBeGreaterThanOrEqual(0);
        expect(parsed.length).toBeGreaterThanOrEqual(0);
        expect(parsed.offset + parsed.length).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 500 },
    );
  });
});

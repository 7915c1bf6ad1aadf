import { describe, expect, test } from 'vitest';
import { bytes, ModuleDoors, terms } from '../../conformance-tests/module-doors.ts';
import { ruleWith } from '../../conformance-tests/rule-with.ts';
import { evaluateCondition, parseCondition } from '../model/condition.ts';
import { decodeEvent } from '../model/decode-event.ts';
import { link } from './link.ts';
import { lower } from './lower.ts';

/** Values of the field `k`, and the field left out. */
const VALUES = [
  ...['"bash"', '"bas"', '"bash "', '"\\u0062ash"', '""', '"443"', '"true"', '"bébash🚀"'],
  ...['443', '443.0', '4.43e2', '-443', '0', '-0.0', '0.5', '1e400', '-1e400', '9007199254740991', '9007199254740992'],
  ...['9007199254740993', '-9007199254740993', '9223372036854775807', '9223372036854775808', '442.9999999999999999999'],
  ...['true', 'false', 'null', '[]', '["bash"]', '{"k":"bash"}', undefined],
];

/** Conditions that the module decides by itself, over `k`. */
const IN_THE_MODULE = [
  ...[
    'k == "bash"',
    '"bash" == k',
    'k != "bash"',
    'k == ""',
    'k in ["bash", "sh"]',
    'k in ["x"]',
    'k in ["443", 443, null, true]',
  ],
  ...[
    'k == 443',
    'k == 443.0',
    '443 == k',
    'k != 443',
    'k == 0',
    'k == -0.0',
    'k == -443',
    'k == 0.5',
    'k in [442, 443]',
  ],
  ...[
    'k < 443',
    'k <= 443',
    'k > 443',
    'k >= 443',
    'k < 443.5',
    '443 < k',
    '443 >= k',
    'k > -1',
    'k < 9007199254740991',
  ],
  ...[
    'k >= 9007199254740991',
    'k > -9007199254740991',
    'k == 9007199254740991',
    'k == true',
    'k != false',
    'k == null',
    'null != k',
  ],
  ...[
    'k.startsWith("ba")',
    'k.startsWith("")',
    'k.endsWith("sh")',
    'k.endsWith("bash")',
    'k.contains("as")',
    'k.contains("ébash")',
  ],
  ...[
    'k.contains("")',
    'k.contains("bash ")',
    'k',
    '!k',
    'k && true',
    'k || true',
    'k || false',
    'k && false',
    '!(k == "bash")',
  ],
  ...['k == "bash" || k == 443', 'k == "x" && k > 1', 'k > 1 || k == "bash"', '!(k > 1)', '!(k > 1) || k == null'],
  ...['k == "bash" ? k == "x" : k == 443', 'k ? k == true : k == false', 'k > 1 ? true : true'],
  ...[
    '"k" in event.output_fields',
    'has(event.output_fields.k)',
    '!has(event.output_fields.k)',
    'has(event.output_fields.j) || k == "bash"',
  ],
  ...[
    'event.rule == "A"',
    'event.rule in ["A", "B"]',
    'event.rule.contains("A")',
    'event.priority == "Notice"',
    'event.priority != "x"',
  ],
  ...[
    'event.source == "syscall"',
    'event.source == ""',
    'event.hostname == ""',
    'event.hostname.endsWith("-1")',
    '"t" in event.tags',
  ],
  ...['!("t" in event.tags)', 'true', 'false', 'event.output_fields.k == "bash"'],
];

/** Conditions of which the host decides at least a part. */
const BY_THE_HOST = [
  ...[
    'k.matches("^ba.*h$")',
    'k == 9007199254740992',
    'k > 9007199254740992.0',
    'k < "c"',
    'k + 1 == 444',
    'size(event.tags) > 0',
  ],
  ...[
    'event.output == "A shell"',
    'event.time == ""',
    'k == k',
    'k in []',
    'k == [1]',
    'event.rule == "A" && k.matches("sh$")',
  ],
  ...['k == "bash" && event.tags.exists(t, t == "t")', '(k == "bash" || k > 1) && string(k) != "x"', 'type(k) == int'],
];

const HEADERS = [
  '',
  ',"rule":"A","priority":"Notice","hostname":"node-1","tags":["t",1,null],"output":"12:00:00.000000000: Notice A shell"',
];

function expanded(condition: string): string {
  return condition.replaceAll(/(?<![."\w])k(?![\w"])/g, 'event.output_fields["k"]');
}

const alerts = HEADERS.flatMap((header) =>
  VALUES.map((value) => `{"x":1${header},"output_fields":{"j2":1${value === undefined ? '' : `,"k":${value}`}}}`),
);

/** Where the module, through either door, and the library of CEL differ. */
async function differences(conditions: readonly string[]): Promise<string[]> {
  const rules = conditions.map((condition) => ruleWith({ condition: expanded(condition) }));
  const doors = await ModuleDoors.open(rules);
  return alerts.flatMap((alert) => {
    const matched = new Set<unknown>(doors.matches(alert));
    return conditions.flatMap((condition, index) =>
      matched.has(index) === reference(expanded(condition), alert) ? [] : [`${condition} on ${alert}`],
    );
  });
}

function reference(text: string, alert: string): boolean {
  const parsed = parseCondition(text);
  const decoded = decodeEvent(bytes(alert));
  if (!parsed.ok || !decoded.ok) throw new Error(`${text}: ${JSON.stringify(parsed)}`);
  return evaluateCondition(parsed.condition, decoded.event);
}

test('the module decides as the library of CEL does', async () => {
  expect(await differences(IN_THE_MODULE)).toEqual([]);
});

test('the host decides the rest', async () => {
  expect(await differences(BY_THE_HOST)).toEqual([]);
});

test.each(IN_THE_MODULE)('%s needs no host', (condition) => {
  expect(lower([ruleWith({ condition: expanded(condition) })]).conditions).toMatchObject([{ needsHost: false }]);
});

test.each(BY_THE_HOST)('%s needs the host', (condition) => {
  expect(lower([ruleWith({ condition: expanded(condition) })]).conditions).toMatchObject([{ needsHost: true }]);
});

describe('a policy lists host builtins', () => {
  const listed = (conditions: readonly string[]) => {
    const module = link(
      conditions.map((condition) => ruleWith({ condition: expanded(condition) })),
      '',
    );
    return Buffer.from(module)
      .toString('latin1')
      .match(/\{"talon\.condition[^}]*\}/g);
  };

  test('only for conditions that need one, by their numbers', () => {
    const conditions = ['k == "bash"', 'k.matches("b")', 'k == "bash"', 'k.matches("c")', 'k.matches("b")'];
    expect(listed(conditions)).toEqual(['{"talon.condition.2":2,"talon.condition.3":3}']);
  });

  test('and none without such', () => {
    expect(listed(['true', 'k == 1'])).toBeNull();
  });
});

test('a condition is one criterion among others', async () => {
  const doors = await ModuleDoors.open([
    ruleWith({ condition: expanded('k == "bash"'), output_fields: [terms('j=1')] }),
    ruleWith({ condition: expanded('k == "bash"'), rules: ['A'] }),
    ruleWith({ condition: expanded('k.matches("sh")'), rules: ['A'] }),
  ]);
  expect(doors.matches('{"rule":"A","output_fields":{"k":"bash"}}')).toEqual([1, 2]);
  expect(doors.matches('{"output_fields":{"k":"bash","j":1}}')).toEqual([0]);
  expect(doors.matches('{"rule":"A","output_fields":{"k":"sh","j":1}}')).toEqual([2]);
});

test('ten thousand conditions can be told apart', async () => {
  const doors = await ModuleDoors.open(
    Array.from({ length: 10_000 }, (_, n) =>
      ruleWith({ condition: `event.output_fields["a"] > ${n} && event.rule != "${n}"` }),
    ),
  );
  expect(doors.matches('{"output_fields":{"a":4}}')).toEqual([0, 1, 2, 3]);
  expect(doors.matches('{"rule":"2","output_fields":{"a":4}}')).toEqual([0, 1, 3]);
});

test('the alert reaches the host with all its digits and merged as it counts', async () => {
  const doors = await ModuleDoors.open([
    ruleWith({
      condition: 'event.output_fields["n"] + 0 == 1700000000123456789 && string(event.output_fields["m"]) == "2"',
    }),
    ruleWith({
      condition:
        'event.rule + "" == "c" && size(event.tags) == 1 && event.output == "x \\"\\\\" && event.time + "" == ""',
    }),
  ]);
  expect(
    doors.matches(
      '{"output_fields":{"n":1,"m":1},"Output_Fields":{"n":1700000000123456789},"output_fields":{\n"m":2 }}',
    ),
  ).toEqual([0]);
  expect(
    doors.matches('{"output_fields":{"m":2},"output_fields":null,"output_fields":{"n":1700000000123456789}}'),
  ).toEqual([]);
  expect(doors.matches('{"rule":"b","rule":"c","rule":null,"tags":[1,2],"tags":[\t3],"output":"x \\"\\\\"}')).toEqual([
    1,
  ]);
});

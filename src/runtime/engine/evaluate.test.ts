import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, bytes, ModuleDoors, terms } from '../../../conformance-tests/module-doors.ts';
import { ruleWith } from '../../../conformance-tests/rule-with.ts';
import { link } from '../../compiler/link.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { createEvaluator, type HeaderField } from './evaluate.ts';
import { interpret } from './interpret.ts';

const RULES = [
  ruleWith({ rules: ['Terminal shell in container'], output_fields: [terms('k8s.ns.name!=kube-system')] }),
  ruleWith({ output_fields: [terms('proc.pid=4711'), terms('list=[a 1]'), terms('evt.time=1700000000123456789')] }),
  ruleWith({ tags: [['shell', 'T1059']], priority: atLeast('Notice') }),
  ruleWith({ condition: 'event.output_fields["proc.name"].matches("^b.sh$")' }),
];
const ALERT = `{"uuid":"1","output":"12:00:00.000000000: Notice A shell \\"x\\"","priority":"Notice",
 "rule":"Terminal shell in container","time":"2025-01-01T12:00:00.5Z","source":"syscall","output_fields":
 {"k8s.ns.name":"shop","proc.pid":4711,"proc.name":"bash","list":["a",1],"evt.time":1700000000123456789,"n":-1.5e3,
 "x":null,"y":true},"hostname":"node","tags":["shell","T1059"]}`;

function evaluator(rules = RULES) {
  return createEvaluator(link(rules, 'rev'), rules);
}

describe('places of header fields', () => {
  const places = (body: Uint8Array) => {
    const scanner = evaluator();
    scanner.scan(body);
    const text = (field: HeaderField) =>
      scanner.start(field) < 0
        ? undefined
        : new TextDecoder().decode(body.subarray(scanner.start(field), scanner.end(field)));
    return [text('rule'), text('priority'), text('source'), text('output')];
  };

  test('are those of the raw text between the quotes', () => {
    expect(places(bytes(ALERT))).toEqual([
      'Terminal shell in container',
      'Notice',
      'syscall',
      '12:00:00.000000000: Notice A shell \\"x\\"',
    ]);
  });

  test('are those of the last value that is not null', () => {
    const body = '{"rule":"a","Rule":"b","RULE":null,"priority":null,"output":"","ſource":"s"}';
    expect(places(bytes(body))).toEqual(['b', undefined, 's', '']);
  });

  test('are of the body as it came, also when its UTF-8 had to be repaired', () => {
    const body = Buffer.from(
      '{"hostname":"\xff\xe2\x82","rule":"caf\xc3\xa9 \xc3","output":"\xef\xbf\xbd\xef\xbf!"}',
      'latin1',
    );
    const scanner = evaluator();
    expect(scanner.scan(body)).toBe(0);
    expect(body.subarray(scanner.start('rule'), scanner.end('rule')).toString('latin1')).toBe('caf\xc3\xa9 \xc3');
    expect(body.subarray(scanner.start('output'), scanner.end('output')).toString('latin1')).toBe(
      '\xef\xbf\xbd\xef\xbf!',
    );
  });
});

test('invalid UTF-8 counts as U+FFFD', () => {
  const scanner = evaluator([ruleWith({ rules: ['a\ufffd\ufffdb'] })]);
  expect(scanner.scan(Buffer.from('{"rule":"a\xe2\x82b"}', 'latin1'))).toBe(1);
  expect(scanner.scan(bytes('{"rule":"a\ufffd\ufffdb"}'))).toBe(1);
  expect(scanner.scan(Buffer.from('{"rule":"a\xe2b"}', 'latin1'))).toBe(0);
});

test('errors have the number and the place that decodeEvent gives them', () => {
  const scanner = evaluator();
  for (const body of [
    '',
    ' ',
    '[]',
    '{"a":tru}',
    '{"rule":5}',
    '{"time":"x"}',
    `${'['.repeat(10_001)}`,
    '{"a":"\\ud83dx\\u12g"}',
  ]) {
    const decoded = decodeEvent(bytes(body));
    if (decoded.ok) throw new Error(`${body} is an alert`);
    expect([scanner.scan(bytes(body)), scanner.errorOffset]).toEqual([-decoded.code, decoded.offset]);
  }
});

describe('memory', () => {
  test('grows for large bodies and is given back after giant ones', () => {
    const scanner = evaluator();
    const before = scanner.memoryBytes;
    const padded = (length: number) =>
      bytes(`{"x":"${'\\"'.repeat(length / 2)}","rule":"Terminal shell in container"}`);
    expect(scanner.scan(padded(3_000_000))).toBe(1);
    expect(scanner.memoryBytes).toBeGreaterThan(6_000_000);
    expect(scanner.scan(padded(20_000_000))).toBe(1);
    expect(scanner.scan(bytes(ALERT))).toBe(4);
    expect(scanner.memoryBytes).toBe(before);
  });

  test('stays where it is however many alerts come', () => {
    const scanner = evaluator();
    const body = bytes(ALERT);
    scanner.scan(body);
    const before = scanner.memoryBytes;
    for (let n = 0; n < 100_000; n++) scanner.scan(body);
    expect(scanner.memoryBytes).toBe(before);
  });
});

test('alerts may end at the last byte of memory', () => {
  const rules = RULES.slice(0, 3);
  const memory = new WebAssembly.Memory({ initial: 5 });
  const module = new WebAssembly.Module(link(rules, 'rev'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory, opa_builtin1: () => 0 } });
  const evaluate = exports.talon_evaluate as (at: number, length: number) => number;
  for (let short = 0; short < 40; short++) {
    const body = bytes(ALERT.slice(0, ALERT.length - short));
    const at = memory.buffer.byteLength - body.length;
    new Uint8Array(memory.buffer).set(body, at);
    expect(evaluate(at, body.length)).toBe(short === 0 ? 3 : -1);
  }
});

describe('modules that do not belong here are refused', () => {
  const wasm = (...sections: number[]) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);

  test.each([
    ['no WebAssembly', bytes('hello'), 'the policy module is no valid WebAssembly'],
    ['a truncated module', link(RULES, 'rev').slice(0, -10), 'the policy module is no valid WebAssembly'],
    ['a module of somebody else', wasm(), 'the policy module was not made by talon'],
    ['a module of other rules', link(RULES.slice(1), 'rev'), 'the policy module has 3 rules, the bundle 4'],
  ])('%s', (_, module, message) => {
    expect(() => createEvaluator(module, RULES)).toThrow(expect.objectContaining({ code: 'bundle', message }));
  });
});

test('the revision can be read from the module', () => {
  expect(createEvaluator(link(RULES, 'sha256:"é'), RULES).revision).toBe('sha256:"é');
});

test('no body makes the module trap, and each answer is that of the interpreter', async () => {
  const doors = await ModuleDoors.open(RULES);
  const snippets = [
    '"',
    '\\',
    '\\u',
    '\\ud83d',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '-',
    '1e',
    '.',
    'null',
    ' ',
    '\t',
    '\0',
    'é',
    '"a":1,',
  ];
  const mutation = fc.record({
    at: fc.nat(ALERT.length),
    remove: fc.nat(12),
    insert: fc.array(fc.constantFrom(...snippets), { maxLength: 3 }).map((parts) => parts.join('')),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let body = ALERT;
      for (const { at, remove, insert } of mutations) body = body.slice(0, at) + insert + body.slice(at + remove);
      const decoded = decodeEvent(bytes(body));
      const expected = decoded.ok
        ? interpret(doors.rules, decoded.event)
        : `error ${decoded.code} at ${decoded.offset}`;
      expect(doors.matches(body)).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
});

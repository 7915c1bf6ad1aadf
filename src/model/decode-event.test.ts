import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEvent } from './decode-event.ts';
import type { FalcoEvent } from './falco-event.ts';
import { JsonNumber, type JsonValue } from './json-value.ts';

const decode = (body: string | Uint8Array) =>
  decodeEvent(typeof body === 'string' ? new TextEncoder().encode(body) : body);

const EMPTY: FalcoEvent = {
  output: '',
  priority: '',
  rule: '',
  hostname: '',
  time: '',
  source: 'syscall',
  output_fields: null,
  tags: null,
};

describe('what is an alert', () => {
  test.each<[string, Partial<FalcoEvent>]>([
    ['{}', {}],
    ['null', {}],
    [' \n{ } ', {}],
    ['{"rule":"a"}{"rule":"b"}', { rule: 'a' }],
    ['{"rule":"a"}trailing', { rule: 'a' }],
    ['{"Rule":"a","PRIORITY":"Notice","tag\u017f":["x"]}', { rule: 'a', priority: 'Notice', tags: ['x'] }],
    ['{"rule":"a","RULE":"b"}', { rule: 'b' }],
    ['{"rule":"a","rule":null}', { rule: 'a' }],
    ['{"source":""}', { source: 'syscall' }],
    ['{"source":"k8s_audit"}', { source: 'k8s_audit' }],
    ['{"output":"12:00:00.000000000: Notice  x"}', { output: ' x' }],
    ['{"tags":["a"],"tags":["b","c"]}', { tags: ['b', 'c'] }],
    ['{"tags":["a"],"tags":null}', { tags: null }],
    [
      '{"output_fields":{"a":"1","b":"2"},"output_fields":{"b":"3"}}',
      { output_fields: new Map(Object.entries({ a: '1', b: '3' })) },
    ],
    [
      '{"output_fields":{"a":"1"},"output_fields":null,"output_fields":{"b":"2"}}',
      { output_fields: new Map(Object.entries({ b: '2' })) },
    ],
    ['{"output_fields":{"A":"1","a":"2"}}', { output_fields: new Map(Object.entries({ A: '1', a: '2' })) }],
    ['{"context":{"pod":"forged"},"trace_id":"x","uuid":5,"other":[{}]}', {}],
    ['{"time":"2024-02-29T8:00:01,25+24:60"}', { time: '2024-02-29T8:00:01,25+24:60' }],
    ['{"rule":"\\u00e9\\ud83d\\ude80\\n\\/"}', { rule: 'é🚀\n/' }],
    ['{"rule":"\\ud83d\\u0041\\ude80\\ud83d"}', { rule: '\ufffdA\ufffd\ufffd' }],
    ['{"rule":"\\ud83d\\ud83d\\ude80"}', { rule: '\ufffd🚀' }],
  ])('%s', (body, expected) => {
    expect(decode(body)).toEqual({ ok: true, event: { ...EMPTY, ...expected } });
  });

  test('numbers keep their spelling, keys such as __proto__ are keys', () => {
    const decoded = decode('{"output_fields":{"evt.time":1717000000000000001,"__proto__":[-0.0,1e400]}}');
    expect(decoded.ok && [...(decoded.event.output_fields ?? [])]).toEqual([
      ['evt.time', new JsonNumber('1717000000000000001')],
      ['__proto__', [new JsonNumber('-0.0'), new JsonNumber('1e400')]],
    ]);
  });

  test('each invalid byte of UTF-8 is U+FFFD', () => {
    const body = Buffer.concat([Buffer.from('{"rule":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')]);
    expect(decode(body)).toMatchObject({ event: { rule: '\ufffd\ufffd' } });
  });
});

describe('what is none', () => {
  test.each([
    ['', 5, 0],
    [' \n', 5, 2],
    ['\ufeff{}', 1, 0],
    ['{', 1, 1],
    ['{"rule":"a', 1, 10],
    ['{"rule":"a"', 1, 11],
    ['{"rule":"a",}', 1, 12],
    ['{"rule" "a"}', 1, 8],
    ['{"é":tru}', 1, 6],
    ['{"a":01}', 1, 6],
    ['{"a":1.}', 1, 7],
    ['{"a":.5}', 1, 5],
    ['{"a":1e+}', 1, 8],
    ['{"a":-}', 1, 6],
    ['{"a":"\t"}', 1, 6],
    ['{"a":"\\x"}', 1, 7],
    ['{"a":"\\u12G4"}', 1, 8],
    ['{"a":[1,]}', 1, 8],
    ['{"a":[1}', 1, 7],
    ['{"a":{"b":1]}', 1, 11],
    ['[]', 2, 0],
    ['"x"', 2, 0],
    ['1', 2, 0],
    [' true', 2, 1],
    ['{"rule":5}', 2, 8],
    ['{"rule":5,"rule":"a"}', 2, 8],
    ['{"priority":["x"]}', 2, 12],
    ['{"hostname":false}', 2, 12],
    ['{"trace_id":{}}', 2, 12],
    ['{"tags":"a"}', 2, 8],
    ['{"output_fields":[]}', 2, 17],
    ['{"context":""}', 2, 11],
    ['{"time":""}', 2, 8],
    ['{"time":5}', 2, 8],
    ['{"time":"2024-01-01T00:00:0\\u0030Z"}', 2, 8],
    ['{"time":"2023-02-29T00:00:00Z"}', 2, 8],
    ['{"time":"2024-01-01t00:00:00Z"}', 2, 8],
    ['{"time":"2024-01-01T00:00:60Z"}', 2, 8],
    ['{"time":"2024-01-01T24:00:00Z"}', 2, 8],
    ['{"time":"2024-01-01T00:00:00.Z"}', 2, 8],
    ['{"time":"2024-01-01T00:00:00"}', 2, 8],
  ])('%j is error %i at %i', (body, code, offset) => {
    expect(decode(body)).toEqual({ ok: false, code, offset });
  });
});

test('10,000 open containers are read, one more is too deep', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  expect(decode(nested(10_000))).toMatchObject({ ok: true });
  expect(decode(nested(10_001))).toEqual({ ok: false, code: 3, offset: 5 + 9_999 });
});

test('keys that are repeated without end take time in proportion', () => {
  const fields = Array.from({ length: 20_000 }, (_, index) => `"f${index}":1`).join(',');
  const body = `{"output_fields":{${fields}}${',"output_fields":{"x":1}'.repeat(30_000)}}`;
  const before = process.cpuUsage();
  expect(decode(body)).toMatchObject({ ok: true });
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
});

test('reads any JSON value as JSON.parse does', () => {
  const plain = (value: JsonValue): unknown => {
    if (value instanceof JsonNumber) return Number(value.text);
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
    return Array.isArray(value) ? value.map(plain) : value;
  };
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1), (value, indent) => {
      const parsed: unknown = JSON.parse(`{"a":${value}}`);
      const decoded = decode(`{"output_fields":${JSON.stringify(parsed, null, indent)}}`);
      expect(decoded.ok && decoded.event.output_fields && plain(decoded.event.output_fields)).toEqual(parsed);
    }),
  );
});

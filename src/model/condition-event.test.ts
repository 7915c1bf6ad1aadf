import { expect, test } from 'vitest';
import { ConditionEvent, celNumber } from './condition-event.ts';
import { decodeEvent } from './decode-event.ts';
import { JsonNumber } from './json-value.ts';

test.each<[string, bigint | number]>([
  ['0', 0n],
  ['-0', 0n],
  ['443', 443n],
  ['1717000000000000001', 1717000000000000001n],
  ['9223372036854775807', 9223372036854775807n],
  ['9223372036854775808', 2 ** 63],
  ['-9223372036854775808', -9223372036854775808n],
  ['-9223372036854775809', -(2 ** 63)],
  ['443.0', 443],
  ['1e3', 1000],
  ['-0.0', -0],
  ['1e400', Number.POSITIVE_INFINITY],
  ['9'.repeat(400), Number.POSITIVE_INFINITY],
])('the number %s', (text, number) => {
  expect(celNumber(new JsonNumber(text))).toBe(number);
});

test('members are those of the alert, absent ones are empty', () => {
  const decoded = decodeEvent(Buffer.from('{"rule":"R","output_fields":{"a":[1,{"b":null}]}}'));
  if (!decoded.ok) throw new Error('not an alert');
  const event = new ConditionEvent(decoded.event);
  expect([event.rule, event.source, event.priority, event.time, event.tags]).toEqual(['R', 'syscall', '', '', []]);
  expect(event.output_fields).toEqual(new Map([['a', [1n, new Map([['b', null]])]]]));
});

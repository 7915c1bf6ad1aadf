import { expect, test } from 'vitest';
import { fitsTag, isNull, scalarType } from './scalar-type.ts';
import { Source } from './source.ts';
import type { ScalarNode } from './yaml-node.ts';

function scalar(text: string, plain = true, tag?: string): ScalarNode {
  return {
    kind: 'scalar',
    source: new Source('a', text),
    start: 0,
    end: text.length,
    text,
    plain,
    ...(tag && { tag }),
  };
}

test.each([
  ['null', ['', '~', 'null', 'Null', 'NULL'], null],
  ['bool', ['true', 'True', 'TRUE'], true],
  ['bool', ['false', 'False', 'FALSE'], false],
  ['int', ['5', '+5', '0x5', '0o5', '05', '0b101', '5_', '0x_5', '0B101', '0X5', '0O5'], 5],
  ['int', ['-511', '-0777', '-0o777', '-0x1FF', '-5_1_1'], -511],
  ['int', ['0', '00', '-0'], 0],
  ['float', ['2.5', '2.50', '+2.5', '25e-1', '.25e1', '0.25E+1'], 2.5],
  ['float', ['1.0', '1.', '01.0', '1e0'], 1],
  ['float', ['089', '89.0'], 89],
  ['float', ['.inf'], '.inf'],
  ['float', ['.NaN'], '.NaN'],
] as const)('%s: %j', (type, texts, value) => {
  for (const text of texts) expect(scalarType(scalar(text)), text).toEqual({ type, value });
});

test.each([
  'yes',
  'no',
  'on',
  'off',
  'y',
  'tRUE',
  'nULL',
  '33%',
  '12:30',
  '0xg',
  '0b2',
  '0o',
  '0b',
  '._5',
  '1.2.3',
  '1e',
  '-',
  '+',
  '.',
  '_1',
  '1e400',
  '- 1',
  'x5',
])('a text: %j', (text) => expect(scalarType(scalar(text))).toEqual({ type: 'string', value: text }));

test.each(['2024-01-02', '2024-01-02T03:04:05Z'])('a date, kept as its text: %j', (text) =>
  expect(scalarType(scalar(text))).toEqual({ type: 'date', value: text }),
);

test('integers have 64 bits; beyond them there are decimal fractions, and texts', () => {
  const typeOf = (text: string) => scalarType(scalar(text)).type;
  for (const text of ['9007199254740993', '18446744073709551615', '-9223372036854775808', '0xFFFFFFFFFFFFFFFF']) {
    expect(typeOf(text), text).toBe('int');
  }
  for (const text of ['18446744073709551616', '-9223372036854775809']) expect(typeOf(text), text).toBe('float');
  for (const text of ['0x10000000000000000', `0b${'1'.repeat(65)}`]) expect(typeOf(text), text).toBe('string');
});

test('in quotes everything is a text', () => {
  for (const text of ['5', 'true', '', '~', '2.5', '2024-01-02']) {
    expect(scalarType(scalar(text, false))).toEqual({ type: 'string', value: text });
    expect(isNull(scalar(text, false))).toBe(false);
  }
});

test('a tag decides over quotes, and must fit', () => {
  expect(scalarType(scalar('7', false, 'int'))).toEqual({ type: 'int', value: 7 });
  expect(scalarType(scalar('7', true, 'str'))).toEqual({ type: 'string', value: '7' });
  expect(scalarType(scalar('7', true, 'float'))).toEqual({ type: 'float', value: 7 });
  expect(scalarType(scalar('true', false, 'bool'))).toEqual({ type: 'bool', value: true });
  expect(scalarType(scalar('', false, 'null'))).toEqual({ type: 'null', value: null });
  expect(isNull(scalar('', false, 'null'))).toBe(true);
  expect(isNull(scalar('null', true, 'str'))).toBe(false);
  expect(scalarType(scalar('7', true, '!own'))).toEqual({ type: 'string', value: '7' });
  expect(fitsTag(scalar('7.5', true, 'int'))).toBe(false);
  expect(fitsTag(scalar('x', true, 'timestamp'))).toBe(false);
  expect(fitsTag(scalar('x', true, 'null'))).toBe(false);
  expect(fitsTag(scalar('x', true, 'str'))).toBe(true);
});

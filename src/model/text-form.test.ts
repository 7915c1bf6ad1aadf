import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonNumber, type JsonValue } from './json-value.ts';
import { goNumber, plainNumber, textForms } from './text-form.ts';

const number = (text: string) => new JsonNumber(text);

describe('textForms', () => {
  test.each<[JsonValue, readonly string[]]>([
    ['a b', ['a b']],
    ['', ['']],
    [true, ['true']],
    [false, ['false']],
    [null, ['<nil>']],
    [number('443'), ['443']],
    [number('999999'), ['999999']],
    [number('1000000'), ['1000000', '1e+06']],
    [number('4194304'), ['4194304', '4.194304e+06']],
    [number('1717000000000000001'), ['1717000000000000001', '1.717e+18']],
    [number('18446744073709551616'), ['18446744073709551616', '1.8446744073709552e+19']],
    [number('-0'), ['-0']],
    [number('-0.0'), ['-0']],
    [number('0e9'), ['0']],
    [number('1.0'), ['1']],
    [number('1e3'), ['1000']],
    [number('1E22'), ['10000000000000000000000', '1e+22']],
    [number('0.0001'), ['0.0001']],
    [number('1e-05'), ['0.00001', '1e-05']],
    [number('5e-324'), [`0.${'0'.repeat(323)}5`, '5e-324']],
    [number('1e400'), ['1e400']],
    [number('-1e-400'), ['-0']],
    [number('9'.repeat(400)), ['9'.repeat(400)]],
    [[], ['[]']],
    [['a', number('1')], ['[a 1]']],
    [
      [number('1000000'), [null, true]],
      ['[1000000 [<nil> true]]', '[1e+06 [<nil> true]]'],
    ],
    [new Map(), ['map[]']],
    [
      new Map<string, JsonValue>([
        ['b', null],
        ['a', number('1e6')],
      ]),
      ['map[a:1000000 b:<nil>]', 'map[a:1e+06 b:<nil>]'],
    ],
  ])('%o', (value, forms) => {
    expect(textForms(value)).toEqual(forms);
  });

  test('keys are in the order of their bytes, not of UTF-16', () => {
    const keys = ['\u{1f600}', '\uffee', 'é', 'z', 'a', 'aa'];
    const value = new Map(keys.map((key): [string, JsonValue] => [key, '']));
    const bytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(textForms(value)).toEqual([`map[${bytes.map((key) => `${key}:`).join(' ')}]`]);
  });

  test('nesting costs no stack', () => {
    let value: JsonValue = [];
    for (let depth = 1; depth < 100_000; depth++) value = [value];
    expect(textForms(value)[0]).toHaveLength(200_000);
  });
});

test('both forms of any double read back as the same double', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
      // JavaScript drops the sign of a negative zero here, JSON does not.
      const spelled = Object.is(double, -0) ? '-0e+0' : double.toExponential();
      expect(Number(goNumber(double))).toBe(double);
      expect(Number(plainNumber(number(spelled)))).toBe(double);
      expect(plainNumber(number(spelled))).toMatch(/^-?\d+(\.\d+)?$/);
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ParameterMap } from '../model/rule.ts';
import type { Parameters } from './blocks.ts';
import { mergeParameters, withoutNulls } from './merge-parameters.ts';
import { parameterMap } from './parameter-value.ts';
import { readYaml } from './read-yaml.ts';
import { Source } from './source.ts';

function parameters(value: unknown): Parameters {
  const [root] = readYaml(new Source('a.yaml', JSON.stringify(value))).documents;
  if (root?.kind !== 'map') throw new Error('no map');
  return root.entries;
}

/** The result of laying values over one another; where types differ, the earlier one stays. */
function merged(...layers: unknown[]): ParameterMap | null {
  return parameterMap(mergeParameters(layers.map(parameters), (_, base) => base));
}

describe('a later layer', () => {
  test.each([
    ['adds what is new', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['replaces a scalar', { a: 1, b: 'x', c: true }, { a: 2, b: 'y', c: false }, { a: 2, b: 'y', c: false }],
    ['appends to a list', { a: [1, 2] }, { a: [2, 3] }, { a: [1, 2, 2, 3] }],
    ['merges a map by one level', { a: { x: 1, y: { p: 1 } } }, { a: { y: { q: 2 } } }, { a: { x: 1, y: { q: 2 } } }],
    ['sets a list that is new as it is', {}, { a: [1] }, { a: [1] }],
    ['says nothing with null', { a: 1, b: [1] }, { a: null, b: null }, { a: 1, b: [1] }],
    ['replaces null', { a: null }, { a: [1] }, { a: [1] }],
  ])('%s', (_, base, over, result) => expect(merged(base, over)).toEqual(result));

  test('of another type leaves the choice to the caller', () => {
    const layers = [
      { a: 1, b: [1], c: 1.5, d: 'x' },
      { a: '2', b: { x: 1 }, c: 2, d: 'y' },
    ].map(parameters);
    const asked: string[] = [];
    const over = mergeParameters(layers, (name, _, after) => {
      asked.push(name);
      return after;
    });
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(parameterMap(over)).toEqual({ a: '2', b: { x: 1 }, c: 2, d: 'y' });
    expect(merged({ a: 1 }, { a: '2' }, { a: 3 })).toEqual({ a: 3 });
  });

  test('changes neither of its arguments, and shares no list with them', () => {
    const block = parameters({ list: ['a'] });
    const first = mergeParameters([block, parameters({ list: ['b'] })], (_, base) => base);
    const second = mergeParameters([block, parameters({ list: ['c'] })], (_, base) => base);
    expect([block, first, second].map((one) => parameterMap(one))).toEqual([
      { list: ['a'] },
      { list: ['a', 'b'] },
      { list: ['a', 'c'] },
    ]);
  });
});

/** Parameters that give each name one type. */
const layer = fc.record(
  {
    flag: fc.boolean(),
    number: fc.integer(),
    text: fc.string(),
    list: fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 }),
    map: fc.dictionary(
      fc.constantFrom('x', 'y', 'z'),
      fc.oneof(fc.integer(), fc.array(fc.integer(), { maxLength: 2 })),
    ),
    none: fc.constant(null),
  },
  { requiredKeys: [] },
);

test('the nulls of a layer give nothing to another one', () => {
  const given = parameters({ a: null, b: 1, c: { x: null } });
  expect(parameterMap(withoutNulls(given))).toEqual({ b: 1, c: { x: null } });
  const full = parameters({ b: 1 });
  expect(withoutNulls(full)).toBe(full);
  expect(withoutNulls(undefined)).toBeUndefined();
});

test('laying layers one by one, or some of them first, is the same', () => {
  fc.assert(
    fc.property(layer, layer, layer, (a, b, c) => {
      const together = merged(a, b, c);
      expect(merged(merged(a, b), c)).toEqual(together);
      expect(merged(a, merged(b, c))).toEqual(together);
    }),
  );
});

test('an empty layer changes nothing', () => {
  fc.assert(
    fc.property(layer, (given) => {
      expect(merged({}, given)).toEqual(merged(given));
      expect(merged(given, {})).toEqual(merged(given));
    }),
  );
});

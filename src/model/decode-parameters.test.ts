import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodeParameters, unknownParameters } from './decode-parameters.ts';
import {
  cidrList,
  flag,
  healthThreshold,
  integer,
  oneOf,
  requiredText,
  text,
  textList,
  textMap,
} from './parameters.ts';
import type { ParameterMap, ParameterValue } from './rule.ts';

const schema = z.object({
  name: text('a name', { fallback: 'nobody' }),
  wanted: requiredText('must be there'),
  level: oneOf('a level', ['pod', 'node'], 'pod'),
  on: flag('a switch', { aliases: ['enabled'] }),
  lines: integer('some lines', { min: 0, fallback: 20 }),
  length: integer('a length', { min: 0, max: 9, fallback: 4, zeroIsAbsent: false }),
  names: textList('some names'),
  networks: cidrList('some networks'),
  replicas: healthThreshold('a threshold'),
});
const labels = z.object({ labels: textMap('labels', 'label') });

const decode = (given: ParameterMap) => decodeParameters(schema, { wanted: 'x', ...given });
const outcomeOf = (given: ParameterMap) => {
  const decoded = decode(given);
  return decoded.ok ? decoded.value : decoded.problems;
};
const messagesOf = (given: ParameterMap) => {
  const decoded = decode(given);
  return decoded.ok ? [] : decoded.problems.map(({ message }) => message);
};

describe('what is left out', () => {
  const DEFAULTS = { name: 'nobody', wanted: 'x', level: 'pod', on: false, lines: 20, length: 4 };

  it('has its default', () => expect(outcomeOf({})).toEqual(DEFAULTS));
  it('is the same as null', () => {
    const nulls = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, null]));
    expect(outcomeOf({ ...nulls, wanted: 'x' })).toEqual(DEFAULTS);
  });
  it('is the same as the zero value, where that means nothing', () =>
    expect(outcomeOf({ name: '', level: '', on: false, lines: 0, replicas: '' })).toEqual(DEFAULTS));
  it('is not the same as an empty list', () =>
    expect(outcomeOf({ names: [], networks: [] })).toEqual({ ...DEFAULTS, names: [], networks: [] }));
  it('is not the same as 0, where that means something', () =>
    expect(outcomeOf({ length: 0 })).toEqual({ ...DEFAULTS, length: 0 }));
  it('is needed all the same when no parameters are given', () =>
    expect(decodeParameters(schema, null)).toEqual({
      ok: false,
      problems: [{ path: ['wanted'], message: "missing parameter 'wanted'" }],
    }));
  it.each(['', null])('is needed where required: %j', (wanted) =>
    expect(messagesOf({ wanted })).toEqual(["missing parameter 'wanted'"]),
  );
});

describe('types', () => {
  it.each<[ParameterMap, string]>([
    [{ name: 5 }, "parameter 'name' must be a string, got a number: put it in quotes"],
    [{ name: true }, "parameter 'name' must be a string, got a boolean: put it in quotes"],
    [{ name: ['a'] }, "parameter 'name' must be a string, got a list"],
    [{ on: 'true' }, "parameter 'on' must be true or false, got a string"],
    [{ on: 1 }, "parameter 'on' must be true or false, got a number"],
    [{ lines: '5' }, "parameter 'lines' must be a number, got a string"],
    [{ lines: true }, "parameter 'lines' must be a number, got a boolean"],
    [{ lines: Number.POSITIVE_INFINITY }, "parameter 'lines' must be a number, got Infinity"],
    [{ lines: -1 }, "parameter 'lines' must be at least 0"],
    [{ length: 10 }, "parameter 'length' must be at most 9"],
    [{ level: 'cluster' }, "parameter 'level' must be 'pod' or 'node'"],
    [{ level: 'Pod' }, "parameter 'level' must be 'pod' or 'node'"],
    [{ names: 'a' }, "parameter 'names' must be a list, got a string"],
    [{ names: { a: 1 } }, "parameter 'names' must be a list, got a map"],
    [{ names: ['a', 1] }, "parameter 'names[1]' must be a string, got a number: put it in quotes"],
    [{ networks: ['10.0.0.0/8', '1.2.3.4'] }, "wrong CIDR '1.2.3.4'"],
    [{ replicas: 33 }, "parameter 'replicas' must be a string, got a number: put it in quotes"],
  ])('%j is refused', (given, message) => expect(messagesOf(given)).toEqual([message]));

  it('reports every problem', () =>
    expect(messagesOf({ wanted: '', on: 'x', networks: ['a', 'b'] })).toEqual([
      "missing parameter 'wanted'",
      "parameter 'on' must be true or false, got a string",
      "wrong CIDR 'a'",
      "wrong CIDR 'b'",
    ]));
  it('cuts fractions off', () =>
    expect(outcomeOf({ lines: 5.7, length: -0.5 })).toMatchObject({ lines: 5, length: 0 }));
  it('reads a null inside a list as an empty text', () =>
    expect(outcomeOf({ names: ['a', null] })).toMatchObject({ names: ['a', ''] }));
});

describe('thresholds', () => {
  it.each<[string, object]>([
    ['0', { count: 0 }],
    ['5', { count: 5 }],
    ['+5', { count: 5 }],
    ['33%', { percent: 33 }],
    ['0%', { percent: 0 }],
    ['100%', { percent: 100 }],
  ])('%s', (replicas, threshold) => expect(outcomeOf({ replicas })).toMatchObject({ replicas: threshold }));
  it.each(['-1', '101%', '1.5%', '33 %', '%', 'abc', '5e1', '0x5'])('%s is refused', (replicas) =>
    expect(messagesOf({ replicas })).toEqual([
      "parameter 'replicas' must be a number of replicas or a percentage from 0% to 100%",
    ]),
  );
});

describe('maps of texts', () => {
  const decodeLabels = (given: ParameterValue) => decodeParameters(labels, { labels: given });

  it('take booleans and numbers as they are written, and null as empty', () =>
    expect(decodeLabels({ a: true, b: 1, c: null, d: '', e: 'x' })).toEqual({
      ok: true,
      value: { labels: { a: 'true', b: '1', c: '', d: '', e: 'x' } },
    }));
  it.each<[ParameterValue, string[]]>([
    [{}, ["parameter 'labels' should have at least one label"]],
    [null, ["missing parameter 'labels'"]],
    ['a=b', ["parameter 'labels' must be a map, got a string"]],
    [['a'], ["parameter 'labels' must be a map, got a list"]],
    [{ a: ['x'], b: {} }, ["parameter 'labels[a]' must be a string", "parameter 'labels[b]' must be a string"]],
  ])('%j is refused', (given, messages) => {
    const decoded = decodeLabels(given);
    expect(decoded.ok ? [] : decoded.problems.map(({ message }) => message)).toEqual(messages);
  });
});

describe('names', () => {
  it('match in any case, and by their other spellings', () =>
    expect(outcomeOf({ NAME: 'x', Enabled: true, LINES: 3 })).toMatchObject({ name: 'x', on: true, lines: 3 }));
  it('prefer the exact spelling to another case to an alias, in any order', () => {
    expect(outcomeOf({ On: true, on: false, enabled: true })).toMatchObject({ on: false });
    expect(outcomeOf({ enabled: false, ON: true })).toMatchObject({ on: true });
  });
  it('stand in problems as the rules file spells them', () => {
    const decoded = decode({ ENABLED: 'x', NetWorks: ['x'] });
    expect(decoded.ok ? [] : decoded.problems.map(({ path }) => path)).toEqual([['ENABLED'], ['NetWorks', 0]]);
  });
  it('that are not known are left out, and can be asked for', () => {
    const given = { names: ['x'], nmae: 'x', Enabled: true, constructor: 'x' };
    expect(outcomeOf(given)).not.toHaveProperty('nmae');
    expect(unknownParameters(schema, given)).toEqual(['nmae', 'constructor']);
  });
});

it('answers anything with a value or with problems that name a parameter', () => {
  const value = fc.anything({
    maxDepth: 2,
    values: [fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)],
  }) as fc.Arbitrary<ParameterValue>;
  const name = fc.constantFrom(...Object.keys(schema.shape), 'Enabled', '__proto__', 'toString');
  fc.assert(
    fc.property(fc.dictionary(name, value), (given) => {
      const decoded = decodeParameters(schema, given);
      if (decoded.ok) return;
      expect(decoded.problems.length).toBeGreaterThan(0);
      for (const { message } of decoded.problems) expect(message).toMatch(/parameter '|wrong CIDR '/);
    }),
  );
});

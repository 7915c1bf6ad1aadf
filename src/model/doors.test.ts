import { describe, expect, it } from 'vitest';
import type { Door } from './capability.ts';
import { readInteger, readLabels } from './door-arguments.ts';
import { DoorError } from './door-error.ts';
import { DOORS, grants } from './doors.ts';

describe('grants', () => {
  it('are the union over the doors: one for each resource, each verb once', () => {
    expect(grants(['pods.delete', 'pods.label', 'pods.replicas', 'nodes.label', 'pods.delete'])).toEqual([
      { group: '', resource: 'nodes', verbs: ['patch'] },
      { group: '', resource: 'pods', verbs: ['delete', 'get', 'patch'] },
      { group: 'apps', resource: 'replicasets', verbs: ['get'] },
    ]);
    expect(grants([])).toEqual([]);
  });

  it.each(Object.keys(DOORS) as Door[])('cover the price of %s, and nothing else', (door) => {
    const price = DOORS[door].price.flatMap((grant) => ('verbs' in grant ? grant : []));
    expect(grants([door])).toHaveLength(new Set(price.map((grant) => grant.resource)).size);
    for (const { group, resource, verbs } of price) {
      expect(grants([door])).toContainEqual({ group, resource, verbs: [...verbs].sort() });
    }
  });
});

describe('arguments', () => {
  it('come out as fresh objects', () => {
    const given = { a: 'b', c: null };
    const read = readLabels(given);
    expect(read).toEqual(given);
    expect(read).not.toBe(given);
  });
  it('keep a key such as `__proto__` a key', () => {
    const read = readLabels(JSON.parse('{"__proto__": "x"}'));
    expect(Object.entries(read)).toEqual([['__proto__', 'x']]);
  });
  it('leave the syntax of labels to the API server, which explains it better', () =>
    expect(readLabels({ 'not a key!': 'not a value!' })).toEqual({ 'not a key!': 'not a value!' }));

  const many = Object.fromEntries(Array.from({ length: 257 }, (_, number) => [`l${number}`, '']));
  it.each([
    undefined,
    null,
    'a=b',
    ['a'],
    { a: 1 },
    { a: undefined },
    { a: {} },
    { a: 'x'.repeat(4097) },
    { ['x'.repeat(4097)]: '' },
    many,
  ])('refuse labels that are none', (given) => expect(() => readLabels(given)).toThrow(DoorError));
  it.each([undefined, null, '5', 1.5, Number.NaN, 2 ** 53, {}])('refuse the number %j', (given) =>
    expect(() => readInteger(given)).toThrow(DoorError),
  );
});

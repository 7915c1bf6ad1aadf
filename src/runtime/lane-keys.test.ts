import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeEvent } from '../model/decode-event.ts';
import type { Actionner, WrittenObject } from '../model/definition.ts';
import { LaneKeys } from './lane-keys.ts';
import { action, rule } from './test-pipeline.ts';

const FIELDS = {
  'k8s.ns.name': 'shop',
  'k8s.pod.name': 'web',
  'ka.target.resource': 'configmaps',
  'ka.target.name': 'settings',
  'ka.target.namespace': 'ops',
};

function keysOf(written: readonly WrittenObject[][], fields: object = FIELDS, hostname = 'node-1'): readonly string[] {
  let decodings = 0;
  const actionners = written.map((kinds, index): [string, Actionner] => {
    const count = (text: string) => {
      decodings++;
      return text;
    };
    const parameters = z.object({ a: z.string().transform(count) });
    return [`test:${index}`, { parameters, behaviour: { writes: () => kinds } } as unknown as Actionner];
  });
  const rules = written.map((_, index) => rule(`R${index}`, [action(String(index), { parameters: { a: 'b' } })]));
  const decoded = decodeEvent(Buffer.from(JSON.stringify({ hostname, output_fields: fields })));
  if (!decoded.ok) throw new Error('not an alert');
  const lanes = new LaneKeys(new Map(actionners));
  lanes.of(decoded.event, rules);
  const keys = lanes.of(decoded.event, rules);
  expect(decodings).toBe(written.length);
  return keys;
}

it.each<[WrittenObject, string]>([
  ['pod', 'pod/shop/web'],
  ['owner', 'namespace/shop'],
  ['node', 'node/node-1'],
  ['object', 'object/configmaps/ops/settings'],
])('names the lane of a %s', (kind, key) => {
  expect(keysOf([[kind]])).toEqual([key]);
});

it('names all that a plan writes, sorted, each once', () => {
  expect(keysOf([['pod', 'node'], ['owner'], ['pod']])).toEqual(['namespace/shop', 'node/node-1', 'pod/shop/web']);
});

it('names nothing that the alert does not name', () => {
  expect(keysOf([['pod', 'node', 'owner', 'object']], {}, '')).toEqual([]);
  expect(keysOf([['pod', 'object']], { 'k8s.pod.name': 'web' }, '')).toEqual(['pod//web']);
});

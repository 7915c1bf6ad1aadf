import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import type { Actionner } from '../../model/definition.ts';
import type { Mint } from '../../model/door-row.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { DELETABLE } from '../../model/kube-names.ts';
import type { NodeFacts, PodFacts } from '../../model/target-facts.ts';
import type { ObjectTarget } from '../../model/targets.ts';
import { mintTargets } from '../plugins/action-targets.ts';
import { isVerified, targetOf } from './guard-target.ts';

const ID = '3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e';
const OTHER = ID.replace('3ad7', '4be8');

function event(hostname: unknown, id: unknown): FalcoEvent {
  const decoded = decodeEvent(Buffer.from(JSON.stringify({ hostname, output_fields: { 'container.id': id } })));
  if (!decoded.ok) throw new Error('no alert');
  return decoded.event;
}

const pod = (...containerIds: string[]): PodFacts => ({
  namespace: 'shop',
  name: 'cart-1',
  uid: 'u',
  labels: {},
  owner: null,
  node: 'node-1',
  containerIds,
});
const node: NodeFacts = { name: 'node-1', labels: {}, hostnames: ['node-1', 'node-1.example'] };

describe('an alert is verified', () => {
  test.each([
    ['by the whole id', event('node-1', ID), pod(ID)],
    ['by its first twelve digits', event('node-1', ID.slice(0, 12)), pod(ID)],
    ['by any container of the pod', event('node-1', ID.slice(0, 12)), pod(OTHER, ID)],
    ['by another name of the host', event('node-1.example', ID), pod(ID)],
  ])('%s', (_, alert, facts) => expect(isVerified(alert, facts, node)).toBe(true));
});

describe('an alert is not verified', () => {
  test.each([
    ['by the id of another container', event('node-1', OTHER), pod(ID)],
    ['without an id', event('node-1', undefined), pod(ID)],
    ['by an empty id', event('node-1', ''), pod(ID)],
    ['by another part of the id', event('node-1', ID.slice(0, 11)), pod(ID)],
    ['by more than the short part', event('node-1', ID.slice(0, 13)), pod(ID)],
    ['by more than the id', event('node-1', `${ID}0`), pod(ID)],
    ['by the id in upper case', event('node-1', ID.toUpperCase()), pod(ID)],
    ['by a number', event('node-1', 123_456_789_012), pod('123456789013')],
    ['by the word for the host itself', event('node-1', 'host'), pod('host')],
    ['by a pattern', event('node-1', '............'), pod(ID)],
    ['on another host', event('node-2', ID), pod(ID)],
    ['on no host', event('', ID), pod(ID)],
    ['on a part of the name of the host', event('node', ID), pod(ID)],
    ['for a pod without containers', event('node-1', ID), pod()],
  ])('%s', (_, alert, facts) => expect(isVerified(alert, facts, node)).toBe(false));
});

describe('what guards look at is what is acted on', () => {
  const audit = (resource: unknown, name: unknown, namespace: unknown): FalcoEvent => {
    const fields = { 'ka.target.resource': resource, 'ka.target.name': name, 'ka.target.namespace': namespace };
    const decoded = decodeEvent(Buffer.from(JSON.stringify({ output_fields: fields })));
    if (!decoded.ok) throw new Error('no alert');
    return decoded.event;
  };
  const requires = [FIELD_KEYS.targetResource, FIELD_KEYS.targetName, FIELD_KEYS.targetNamespace];
  const actionner = { id: 'test:delete', requires } as unknown as Actionner;
  const attempt = <T>(make: () => T) => {
    try {
      return make();
    } catch {
      return undefined;
    }
  };
  const names = fc.constantFrom(
    'web',
    'kube-system',
    'a.b',
    '',
    '..',
    '.',
    'a/../b',
    'A',
    'system:node',
    'x'.repeat(254),
    'web ',
  );
  const resources = fc.constantFrom(
    ...Object.keys(DELETABLE),
    'pods',
    'Secrets',
    'secrets/x',
    '__proto__',
    'nodes',
    '',
  );

  test('of any alert about an object', () => {
    fc.assert(
      fc.property(resources, names, names, (resource, name, namespace) => {
        const event = audit(resource, name, namespace);
        const seen = attempt(() => targetOf(actionner, event));
        let acted: Partial<ObjectTarget> | undefined;
        const mint = ((target: ObjectTarget) => {
          acted = target;
        }) as unknown as Mint;
        attempt(() => mintTargets({ actionner, event, reach: {}, payload: () => '' }, mint));
        // Where the guard finds nothing that can exist, nothing is done.
        if (!acted || !seen) return;
        const within = acted.resource === 'namespaces' ? acted.name : acted.namespace;
        expect(seen).toEqual({ resource: acted.resource, name: acted.name, namespace: within });
      }),
      { numRuns: 2_000 },
    );
  });

  test('a cluster role is in no namespace, whatever the alert says', () => {
    const seen = targetOf(actionner, audit('clusterroles', 'cluster-admin', 'sandbox'));
    expect(seen).toEqual({ resource: 'clusterroles', name: 'cluster-admin', namespace: '' });
  });
});

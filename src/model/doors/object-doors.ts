import * as z from 'zod';
import type { Door } from '../capability.ts';
import { asFound, type DoorRows, nothing } from '../door-row.ts';
import type { KubeGrant } from '../grant.ts';
import { DELETABLE } from '../kube-names.ts';
import { pods } from './pod-doors.ts';

const peers = z
  .array(z.union([z.strictObject({ cidr: z.string() }), z.strictObject({ namespace: z.string() })]))
  .max(1_000);
const texts = z.array(z.string()).max(1_000).optional();
const allowed = z.strictObject({ cidrs: texts, namespaces: texts });
const kubeEvent = z.strictObject({
  type: z.enum(['Normal', 'Warning']),
  reason: z.string().max(128),
  action: z.string().max(128),
  message: z.string().max(1_024),
});

const policies = (group: string, resource: string): KubeGrant => ({
  group,
  resource,
  verbs: ['create', 'get', 'update'],
});

function deletions(): readonly [KubeGrant, ...KubeGrant[]] {
  const [first, ...others] = Object.entries(DELETABLE).map(
    ([resource, group]): KubeGrant => ({ group, resource, verbs: ['delete'] }),
  );
  if (!first) throw new Error('nothing can be deleted');
  return [first, ...others];
}

/** The doors to network policies, to the objects of audit alerts, and to events. */
export const OBJECT_DOORS = {
  'networkpolicies.apply': {
    api: 'kubernetes',
    effect: true,
    price: [policies('networking.k8s.io', 'networkpolicies')],
    decode: (given) => [given.target(0, 'workload'), given.value(1, peers)],
    answer: asFound,
  },
  'calico.deny': {
    api: 'kubernetes',
    effect: true,
    price: [policies('projectcalico.org', 'networkpolicies')],
    decode: (given) => [given.target(0, 'workload'), given.text(1), given.value(2, allowed), given.integer(3)],
    answer: asFound,
  },
  'cilium.deny': {
    api: 'kubernetes',
    effect: true,
    price: [policies('cilium.io', 'ciliumnetworkpolicies')],
    decode: (given) => [given.target(0, 'workload'), given.text(1), given.value(2, allowed)],
    answer: asFound,
  },
  'objects.uid': {
    api: 'kubernetes',
    effect: false,
    // A deletion that is only tried tells it, so that nobody needs the right to read secrets.
    price: deletions(),
    decode: (given) => [given.target(0, 'object')],
    answer: (uid) => uid,
  },
  'objects.delete': {
    api: 'kubernetes',
    effect: true,
    ends: true,
    price: deletions(),
    decode: (given) => [given.target(0, 'object')],
    answer: nothing,
  },
  'events.create': {
    api: 'kubernetes',
    effect: true,
    price: [pods('get'), { group: '', resource: 'events', verbs: ['create'] }],
    decode: (given) => [given.target(0, 'subject'), given.value(1, kubeEvent)],
    answer: nothing,
  },
} satisfies DoorRows<Extract<Door, `${'networkpolicies' | 'calico' | 'cilium' | 'objects' | 'events'}.${string}`>>;

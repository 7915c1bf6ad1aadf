import * as z from 'zod';
import type { Door } from '../capability.ts';
import { asFound, type DoorRows, nothing, withArtifact } from '../door-row.ts';
import type { KubeGrant } from '../grant.ts';

/** The rights to a resource of the core group. */
export const pods = (...verbs: string[]): KubeGrant => ({ group: '', resource: 'pods', verbs });
export const nodes = (...verbs: string[]): KubeGrant => ({ group: '', resource: 'nodes', verbs });

/** A WebSocket is opened by a GET; some API servers ask for the right to create all the same. */
const EXEC: KubeGrant = { group: '', resource: 'pods/exec', verbs: ['create', 'get'] };
const OWNERS = ['daemonsets', 'replicasets', 'statefulsets'].map(
  (resource): KubeGrant => ({ group: 'apps', resource, verbs: ['get'] }),
);

/** A value may be as long as all annotations of an object together. */
const annotations = z.record(
  z.string().max(4_096),
  z
    .string()
    .max(256 * 1_024)
    .nullable(),
);
const newArtifact = z.strictObject({ name: z.string().max(255), mediaType: z.string().max(255) });

/** The doors to pods and nodes. */
export const POD_DOORS = {
  'pods.label': {
    api: 'kubernetes',
    effect: true,
    price: [pods('patch')],
    decode: (given) => [given.target(0, 'pod'), given.labels(1)],
    answer: nothing,
  },
  'pods.delete': {
    api: 'kubernetes',
    effect: true,
    ends: true,
    // The lookup gives the UID that the deletion is tied to.
    price: [pods('get', 'delete')],
    decode: (given) => [given.target(0, 'pod'), given.integer(1)],
    answer: nothing,
  },
  'pods.uid': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get')],
    decode: (given) => [given.target(0, 'pod')],
    answer: (uid) => uid,
  },
  'pods.owner': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get')],
    decode: (given) => [given.target(0, 'pod')],
    answer: (owner) => owner && { ...owner },
  },
  'pods.replicas': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get'), { group: 'apps', resource: 'replicasets', verbs: ['get'] }],
    decode: (given) => [given.target(0, 'pod')],
    answer: (replicas) => ({ ...replicas }),
  },
  'pods.evict': {
    api: 'kubernetes',
    effect: true,
    ends: true,
    price: [pods('get'), { group: '', resource: 'pods/eviction', verbs: ['create'] }],
    decode: (given) => [given.target(0, 'pod')],
    answer: (eviction) => ({ ...eviction }),
  },
  'pods.gone': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get', 'watch')],
    decode: (given) => [given.target(0, 'pod'), given.integer(1)],
    answer: (gone) => gone,
  },
  'nodes.ofPod': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get')],
    decode: (given) => [given.target(0, 'pod')],
    answer: (node, mint) => mint(node),
  },
  'nodes.pods': {
    api: 'kubernetes',
    effect: false,
    price: [pods('list')],
    decode: (given) => [given.target(0, 'node')],
    answer: (found, mint) => found.map(({ pod, ...facts }) => ({ pod: mint(pod), ...facts })),
  },
  'nodes.label': {
    api: 'kubernetes',
    effect: true,
    price: [nodes('patch')],
    decode: (given) => [given.target(0, 'node'), given.labels(1)],
    answer: nothing,
  },
  'pods.annotate': {
    api: 'kubernetes',
    effect: true,
    price: [pods('patch')],
    decode: (given) => [given.target(0, 'pod'), given.value(1, annotations)],
    answer: nothing,
  },
  'pods.containers': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get')],
    decode: (given) => [given.target(0, 'pod')],
    answer: (found, mint) => found.map((container) => mint(container)),
  },
  'pods.containerIds': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get')],
    decode: (given) => [given.target(0, 'pod')],
    answer: asFound,
  },
  'pods.workload': {
    api: 'kubernetes',
    effect: false,
    price: [pods('get'), ...OWNERS],
    decode: (given) => [given.target(0, 'pod')],
    answer: (found, mint) => found && mint(found),
  },
  'pods.logs': {
    api: 'kubernetes',
    effect: false,
    price: [{ group: '', resource: 'pods/log', verbs: ['get'] }],
    decode: (given) => [given.target(0, 'container'), given.integer(1)],
    answer: (text) => text,
  },
  'pods.keepLogs': {
    api: 'kubernetes',
    effect: false,
    price: [{ group: '', resource: 'pods/log', verbs: ['get'] }],
    decode: (given) => [given.target(0, 'container'), given.integer(1)],
    answer: (artifact, mint) => mint(artifact),
  },
  'pods.exec': {
    api: 'kubernetes',
    effect: true,
    price: [EXEC],
    decode: (given) => [given.target(0, 'container'), given.texts(1), given.text(2)],
    answer: asFound,
  },
  'pods.capture': {
    api: 'kubernetes',
    effect: true,
    price: [EXEC],
    decode: (given) => [given.target(0, 'container'), given.texts(1), given.value(2, newArtifact)],
    answer: withArtifact,
  },
  'captures.inPod': {
    api: 'kubernetes',
    effect: true,
    fleeting: true,
    price: [pods('get'), { group: '', resource: 'pods/ephemeralcontainers', verbs: ['patch'] }],
    decode: (given) => [given.target(0, 'pod'), given.text(1), given.integer(2)],
    answer: (container, mint) => mint(container),
  },
  'captures.onNode': {
    api: 'kubernetes',
    effect: true,
    fleeting: true,
    price: [pods('get', 'list'), { group: 'batch', resource: 'jobs', verbs: ['create', 'delete'] }],
    decode: (given) => [given.target(0, 'pod'), given.text(1), given.integer(2)],
    answer: ({ container, job }, mint) => ({ container: mint(container), job }),
  },
  'nodes.annotate': {
    api: 'kubernetes',
    effect: true,
    price: [nodes('patch')],
    decode: (given) => [given.target(0, 'node'), given.value(1, annotations)],
    answer: nothing,
  },
  'nodes.cordon': {
    api: 'kubernetes',
    effect: true,
    price: [nodes('patch')],
    decode: (given) => [given.target(0, 'node')],
    answer: nothing,
  },
} satisfies DoorRows<Extract<Door, `${'pods' | 'captures' | 'nodes'}.${string}`>>;

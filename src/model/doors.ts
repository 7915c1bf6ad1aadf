import type { ArtifactRef, Door, Doors, LabelChanges, NodeRef, PodRef } from './capability.ts';
import { DoorError } from './door-error.ts';
import type { Artifact } from './outcome.ts';
import type { TargetLookups } from './target-facts.ts';

/** What a reference to a pod stands for. The UID is known when somebody looked the pod up already. */
export interface PodTarget {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}
export interface NodeTarget {
  readonly kind: 'node';
  readonly name: string;
}
/** A file in the spool. */
export interface ArtifactTarget extends Artifact {
  readonly kind: 'artifact';
}

/** What references stand for, by kind. */
export interface TargetKinds {
  readonly pod: PodTarget;
  readonly node: NodeTarget;
  readonly artifact: ArtifactTarget;
}
export type TargetKind = keyof TargetKinds;
export type Target = TargetKinds[TargetKind];
/** The references, by kind. */
export interface RefKinds {
  readonly pod: PodRef;
  readonly node: NodeRef;
  readonly artifact: ArtifactRef;
}

/** The same value with its references resolved. */
type Resolved<T> = T extends PodRef
  ? PodTarget
  : T extends NodeRef
    ? NodeTarget
    : T extends ArtifactRef
      ? ArtifactTarget
      : T extends object
        ? { readonly [K in keyof T]: Resolved<T[K]> }
        : T;
type ResolvedAll<T extends readonly unknown[]> = { [I in keyof T]: Resolved<T[I]> };
type Arguments<D extends Door> = ResolvedAll<Parameters<Doors[D]>>;
type Answer<D extends Door> = Awaited<ReturnType<Doors[D]>>;

/**
 * What is behind the doors. An adapter gets resolved targets and a signal that ends with the step; it has time-outs of
 * its own and throws a DoorError. The target objects live as long as their step: what an adapter learnt of one may be
 * kept with it.
 */
export type Adapters = {
  readonly [D in Door]: (...given: [...Arguments<D>, signal: AbortSignal]) => Promise<Resolved<Answer<D>>>;
};

/** One rule of a ClusterRole. */
export interface KubeGrant {
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** Reads the arguments that a plug-in gave; throws a DoorError of code `door` for what does not fit. */
export interface GivenArguments {
  target<K extends TargetKind>(position: number, kind: K): TargetKinds[K];
  integer(position: number): number;
  labels(position: number): LabelChanges;
}

/** Makes the reference for a target that a door returns. */
export type Mint = <K extends TargetKind>(target: TargetKinds[K] & { kind: K }) => RefKinds[K];

/** What doors lead to. Each has its own breaker, and its own limits. */
export type Api = 'kubernetes';

/** A row of the door table. */
export interface DoorRow<D extends Door> {
  readonly api: Api;
  /** Whether it changes the world. */
  readonly effect: boolean;
  /**
   * An effect that ends its first target: it is tied to the very object that was looked up, and made once more after an
   * interruption it finds out that the object is gone, which is then what was wanted.
   */
  readonly ends?: true;
  /** What the API server must allow. */
  readonly price: readonly [KubeGrant, ...KubeGrant[]];
  /** Fresh objects of the right types; nothing that the plug-in holds gets through. */
  readonly decode: (given: GivenArguments) => Arguments<D>;
  /** What the plug-in is told: the adapter's answer with references in place of targets. */
  readonly answer: (found: Resolved<Answer<D>>, mint: Mint) => Answer<D>;
}

const pods = (...verbs: string[]): KubeGrant => ({ group: '', resource: 'pods', verbs });
const nodes = (...verbs: string[]): KubeGrant => ({ group: '', resource: 'nodes', verbs });
const nothing = () => undefined;

/** The one table of doors. A door without a row, or a row without a price, does not compile. */
export const DOORS: { readonly [D in Door]: DoorRow<D> } = {
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
};

/** What the lookups of targets cost that guards ask for. */
export const LOOKUP_PRICES = {
  pod: [pods('get')],
  node: [nodes('get')],
} satisfies Record<keyof TargetLookups, readonly KubeGrant[]>;

/** Labels in one call, and UTF-16 units of a key or a value. What a label may look like, the API server says best. */
const MOST_LABELS = 256;
const LONGEST_LABEL = 4096;

/** A fresh map of label changes out of anything. */
export function readLabels(given: unknown): LabelChanges {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw malformed('labels');
  const entries = Object.entries(given);
  if (entries.length > MOST_LABELS) throw malformed(`more than ${MOST_LABELS} labels`);
  for (const [key, value] of entries) {
    const length = typeof value === 'string' ? value.length : value === null ? 0 : Number.POSITIVE_INFINITY;
    if (key.length > LONGEST_LABEL || length > LONGEST_LABEL) throw malformed('a label');
  }
  return Object.fromEntries(entries);
}

/** A whole number out of anything. */
export function readInteger(given: unknown): number {
  if (!Number.isSafeInteger(given)) throw malformed('a number');
  return given as number;
}

function malformed(what: string): DoorError {
  return new DoorError('door', `malformed argument: ${what}`);
}

/** What a set of doors costs: one grant for each resource, sorted, each verb once. */
export function grants(uses: readonly Door[], more: readonly KubeGrant[] = []): readonly KubeGrant[] {
  const verbsOf = new Map<string, { group: string; resource: string; verbs: Set<string> }>();
  for (const { group, resource, verbs } of [...uses.flatMap((door) => DOORS[door].price), ...more]) {
    const key = `${group}/${resource}`;
    const entry = verbsOf.get(key) ?? { group, resource, verbs: new Set() };
    for (const verb of verbs) entry.verbs.add(verb);
    verbsOf.set(key, entry);
  }
  return [...verbsOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { group, resource, verbs }]) => ({ group, resource, verbs: [...verbs].sort() }));
}

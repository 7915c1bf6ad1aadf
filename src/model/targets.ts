import type { Artifact, Objects } from './outcome.ts';
import type {
  ArtifactRef,
  ContainerRef,
  EndpointRef,
  FunctionRef,
  MailboxRef,
  NodeRef,
  ObjectRef,
  PodRef,
  StoreRef,
  SubjectRef,
  WorkloadRef,
} from './references.ts';

/** What a reference to a pod stands for. The UID is known when somebody looked the pod up already. */
export interface PodTarget {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}
export interface ContainerTarget {
  readonly kind: 'container';
  readonly name: string;
  readonly pod: PodTarget;
}
export interface NodeTarget {
  readonly kind: 'node';
  readonly name: string;
}
export interface WorkloadTarget {
  readonly kind: 'workload';
  readonly name: string;
  readonly namespace: string;
  /** By which its pods are selected; never empty, and without those that change with each of its revisions. */
  readonly labels: Readonly<Record<string, string>>;
}
export interface ObjectTarget {
  readonly kind: 'object';
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
  /** Known when it was looked up already. */
  readonly uid?: string;
}
/** Where an event is created: on a pod or a node, or where the name is empty on nothing in particular. */
export interface SubjectTarget {
  readonly kind: 'subject';
  readonly of: 'Pod' | 'Node';
  readonly name: string;
  /** Empty for a node. */
  readonly namespace: string;
}
export interface FunctionTarget {
  readonly kind: 'function';
  readonly name: string;
  /** Empty where a function has none. */
  readonly location: string;
  /** What it is called with: the alert and its context, as JSON. */
  readonly payload: string;
  /** Of the alert: 32 hexadecimal digits. */
  readonly traceId?: string;
}
/** How a rule or the configuration names a place for artifacts. */
export interface StoreAddress {
  readonly category: 'local' | 'aws' | 'minio' | 'gcp';
  /** Bucket, or folder. */
  readonly name: string;
  readonly prefix: string;
  readonly region: string;
  /** Whether an object that has the key already is left as it is. */
  readonly keepsExisting?: boolean;
  /** How the bucket is to encrypt the object, if not as it always does. */
  readonly encryption?: { readonly kind: 'AES256' | 'aws:kms'; readonly key: string };
  /** For how long nobody is to change or delete the object. */
  readonly lock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number };
}
export interface StoreTarget extends StoreAddress {
  readonly kind: 'store';
}
/** How a rule or the configuration names an HTTP endpoint. Everything in it may be secret. */
export interface EndpointAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Headers whose value stands in an environment variable of the server, by the name of that variable. */
  readonly headersFrom?: Readonly<Record<string, string>>;
  /** Sent as basic authentication where the user is not empty. */
  readonly login?: { readonly user: string; readonly password: string };
}
export interface EndpointTarget extends EndpointAddress {
  readonly kind: 'endpoint';
  /** The host. */
  readonly name: string;
}
export interface MailboxAddress {
  /** Host and port. */
  readonly server: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly security: 'none' | 'starttls' | 'tls';
  /** Whether the password may cross the network in clear. */
  readonly allowPlainLogin: boolean;
}
export interface MailboxTarget extends MailboxAddress {
  readonly kind: 'mailbox';
  readonly name: string;
}
/** A file in the spool. */
export interface ArtifactTarget extends Artifact {
  readonly kind: 'artifact';
}

/** What references stand for, by kind. */
export interface TargetKinds {
  readonly pod: PodTarget;
  readonly container: ContainerTarget;
  readonly node: NodeTarget;
  readonly workload: WorkloadTarget;
  readonly object: ObjectTarget;
  readonly subject: SubjectTarget;
  readonly function: FunctionTarget;
  readonly store: StoreTarget;
  readonly endpoint: EndpointTarget;
  readonly mailbox: MailboxTarget;
  readonly artifact: ArtifactTarget;
}
export type TargetKind = keyof TargetKinds;
export type Target = TargetKinds[TargetKind];
/** The references, by kind. */
export interface RefKinds {
  readonly pod: PodRef;
  readonly container: ContainerRef;
  readonly node: NodeRef;
  readonly workload: WorkloadRef;
  readonly object: ObjectRef;
  readonly subject: SubjectRef;
  readonly function: FunctionRef;
  readonly store: StoreRef;
  readonly endpoint: EndpointRef;
  readonly mailbox: MailboxRef;
  readonly artifact: ArtifactRef;
}

interface TargetRow<K extends TargetKind> {
  /** What a reference shows of it beside kind, number and name. */
  readonly shows: (target: TargetKinds[K]) => Omit<RefKinds[K], 'kind' | 'ref' | 'name'>;
  /** By which a call about it is known again after a restart. */
  readonly identity: (target: TargetKinds[K]) => readonly unknown[];
  /** What a failed call about it says of what was acted on. */
  readonly objects: (target: TargetKinds[K]) => Objects;
}

const ofNothing = (): Objects => ({});
const podObjects = ({ name, namespace }: PodTarget): Objects => ({ pod: name, namespace });

const TARGETS: { readonly [K in TargetKind]: TargetRow<K> } = {
  pod: {
    shows: ({ namespace }) => ({ namespace }),
    identity: ({ namespace, name, uid }) => [namespace, name, uid],
    objects: podObjects,
  },
  container: {
    shows: () => ({}),
    identity: ({ name, pod }) => [name, pod.namespace, pod.name, pod.uid],
    objects: ({ pod }) => podObjects(pod),
  },
  node: { shows: () => ({}), identity: ({ name }) => [name], objects: ({ name }) => ({ node: name }) },
  workload: {
    shows: ({ namespace }) => ({ namespace }),
    identity: ({ namespace, name, labels }) => [namespace, name, labels],
    objects: ({ namespace }) => ({ namespace }),
  },
  object: {
    shows: ({ resource, namespace }) => ({ resource, namespace }),
    identity: ({ resource, namespace, name, uid }) => [resource, namespace, name, uid],
    objects: ({ resource, namespace, name }) => ({ name, resource, namespace }),
  },
  subject: {
    shows: ({ namespace }) => ({ namespace }),
    identity: ({ of, namespace, name }) => [of, namespace, name],
    objects: ofNothing,
  },
  function: {
    shows: () => ({}),
    identity: ({ name, location }) => [name, location],
    objects: ({ name, location }) => ({ name, ...(location && { location }) }),
  },
  store: {
    shows: ({ prefix, region }) => ({ prefix, region }),
    identity: ({ category, name, prefix, region }) => [category, name, prefix, region],
    objects: ofNothing,
  },
  endpoint: { shows: () => ({}), identity: ({ url }) => [url], objects: ({ name: endpoint }) => ({ endpoint }) },
  mailbox: { shows: () => ({}), identity: ({ name, to }) => [name, to], objects: ofNothing },
  artifact: {
    shows: ({ size, sha256, mediaType }) => ({ size, sha256, mediaType }),
    identity: ({ name, sha256 }) => [name, sha256],
    objects: ofNothing,
  },
};

/** The artifacts that the answer of a door carries. */
export function artifactsIn(answer: unknown): readonly ArtifactTarget[] {
  const { artifact } = (answer ?? {}) as { readonly artifact?: unknown };
  return [answer, artifact].filter(isArtifact);
}

function isArtifact(value: unknown): value is ArtifactTarget {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'artifact';
}

/** The reference by which a plug-in knows a target. */
export function refOf<K extends TargetKind>(target: TargetKinds[K] & { kind: K }, ref: number): RefKinds[K] {
  const { kind, name } = target;
  return { kind, ref, name, ...TARGETS[kind].shows(target) } as unknown as RefKinds[K];
}

/** What tells a target apart from others, whatever the number of its reference. */
export function identityOf<K extends TargetKind>(target: TargetKinds[K] & { kind: K }): readonly unknown[] {
  return [target.kind, ...TARGETS[target.kind].identity(target)];
}

/** The facts about a target for logs and notices. */
export function objectsOf<K extends TargetKind>(target: TargetKinds[K] & { kind: K }): Objects {
  return TARGETS[target.kind].objects(target);
}

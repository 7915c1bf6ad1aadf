/**
 * A reference to a target. Plain data: the broker looks up `ref` among those it minted for the step and ignores the
 * rest, so that a forged name reaches nothing.
 */
export interface Ref<K extends string> {
  readonly kind: K;
  readonly ref: number;
  readonly name: string;
}
export interface PodRef extends Ref<'pod'> {
  readonly namespace: string;
}
export interface NodeRef extends Ref<'node'> {}
/** Bytes that a door made. They never come to a plug-in. */
export interface ArtifactRef extends Ref<'artifact'> {
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly mediaType: string;
}

/** What controls a pod; null for a standalone pod. Kinds other than these three count as `other`. */
export interface Owner {
  readonly kind: 'DaemonSet' | 'StatefulSet' | 'ReplicaSet' | 'other';
  readonly name: string;
}

/** How many replicas a ReplicaSet wants, and how many of them are ready. */
export interface Replicas {
  readonly wanted: number;
  readonly ready: number;
}

/** A pod of a node, with what decides whether somebody may want to evict it. */
export interface NodePod {
  readonly pod: PodRef;
  /** Kind of what controls it; null for a standalone pod. */
  readonly ownerKind: Owner['kind'] | null;
  /** The kubelet runs it from a file; the API server shows it and cannot end it. */
  readonly mirror: boolean;
  /** Talon itself runs in it. */
  readonly self: boolean;
}

/** Whether a pod was evicted. Where it was not, as a disruption budget forbids it now, how long to wait before asking again. */
export type Eviction = { readonly evicted: true } | { readonly evicted: false; readonly retryAfterMs: number };

/** Labels to set, or with null to remove. */
export type LabelChanges = Readonly<Record<string, string | null>>;

/**
 * The doors: all that a plug-in can do to the world. Arguments are references, never names. A door is narrow on purpose,
 * since RBAC cannot tell a label patch from an image patch.
 */
export interface Doors {
  'pods.label': (pod: PodRef, labels: LabelChanges) => Promise<void>;
  /** Deletes the very pod that was looked up before (precondition on its UID). Seconds of grace, 0 kills at once. */
  'pods.delete': (pod: PodRef, graceSeconds: number) => Promise<void>;
  /** The UID of the pod that the reference means. */
  'pods.uid': (pod: PodRef) => Promise<string>;
  'pods.owner': (pod: PodRef) => Promise<Owner | null>;
  /** Of the ReplicaSet that owns the pod. Refused for a pod of another owner. */
  'pods.replicas': (pod: PodRef) => Promise<Replicas>;
  /**
   * Asks for the eviction of the very pod that the reference means, with the grace period of the pod. A pod that is gone
   * already, or has a successor of the same name, counts as evicted.
   */
  'pods.evict': (pod: PodRef) => Promise<Eviction>;
  /** Waits until the very pod is gone, at most so many milliseconds. Whether it is. */
  'pods.gone': (pod: PodRef, withinMs: number) => Promise<boolean>;
  'nodes.ofPod': (pod: PodRef) => Promise<NodeRef>;
  /** All pods on a node, in no order. Refused for more than 1,000. */
  'nodes.pods': (node: NodeRef) => Promise<readonly NodePod[]>;
  'nodes.label': (node: NodeRef, labels: LabelChanges) => Promise<void>;
}
export type Door = keyof Doors;

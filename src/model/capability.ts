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
  'pods.owner': (pod: PodRef) => Promise<Owner | null>;
  /** Of the ReplicaSet that owns the pod. Refused for a pod of another owner. */
  'pods.replicas': (pod: PodRef) => Promise<Replicas>;
  'nodes.ofPod': (pod: PodRef) => Promise<NodeRef>;
  'nodes.label': (node: NodeRef, labels: LabelChanges) => Promise<void>;
}
export type Door = keyof Doors;

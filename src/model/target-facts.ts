import type { Owner } from './capability.ts';
import type { NodeTarget, PodTarget } from './targets.ts';

/**
 * What controls a pod, for guards: only what says that it controls it. `Node` is that of static pods alone. Everything else
 * that has a name of its own choosing is `other`.
 */
export interface PodOwner {
  readonly kind: Owner['kind'] | 'Node';
  readonly name: string;
}

/** What guards may know of a pod. Read from the API server, never from the alert. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: PodOwner | null;
  /** Name of the node; empty while the pod is on none. */
  readonly node: string;
  /** Ids of its containers without the `runtime://` before them, of all kinds and states. */
  readonly containerIds: readonly string[];
}

/** What guards may know of a node. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names by which alerts may call it: its name, its `kubernetes.io/hostname`, its addresses of kind Hostname. */
  readonly hostnames: readonly string[];
}

/**
 * Looks targets up for guards. Both throw a DoorError as the doors do: `not-found` for what does not exist, `unreachable`
 * and `busy` for what may pass.
 */
export interface TargetLookups {
  pod(target: PodTarget, signal: AbortSignal): Promise<PodFacts>;
  node(target: NodeTarget, signal: AbortSignal): Promise<NodeFacts>;
}

import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import type { Owner } from '../../model/capability.ts';
import type { PodOwner } from '../../model/target-facts.ts';

/** The kubelet marks pods that it runs from files. Nobody can mark a pod that exists. */
const MIRROR = 'kubernetes.io/config.mirror';

/** Whether the API server only shows the pod, which a kubelet runs from a file. */
export function isMirror({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[MIRROR] !== undefined;
}

/** What controls the pod. Where no reference says that it does, the first one counts, as in Falco Talon. */
export function ownerOf(pod: V1Pod): Owner | null {
  const owner = controllingReference(pod) ?? pod.metadata?.ownerReferences?.[0];
  return owner ? { kind: ownerKind(owner), name: owner.name } : null;
}

/** The reference to what controls an object, where one says that it does. */
export function controllingReference({ metadata }: Pick<V1Pod, 'metadata'>): V1OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller);
}

/**
 * The same for guards, who protect pods because of it: whoever writes a pod may name any object as its owner, but controllers
 * let go of what is not theirs, and a kubelet deletes mirror pods without a file.
 */
export function controllerOf(pod: V1Pod): PodOwner | null {
  const owner = controllingReference(pod);
  if (!owner) return null;
  const { apiVersion, kind, name } = owner;
  const isStatic = apiVersion === 'v1' && kind === 'Node' && isMirror(pod) && name === pod.spec?.nodeName;
  return { kind: isStatic ? 'Node' : ownerKind(owner), name };
}

function ownerKind({ apiVersion, kind }: V1OwnerReference): Owner['kind'] {
  switch (kind) {
    case 'DaemonSet':
    case 'StatefulSet':
      return kind;
    case 'ReplicaSet':
      return apiVersion.startsWith('apps/') ? kind : 'other';
    default:
      return 'other';
  }
}

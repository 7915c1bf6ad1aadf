import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import type { Owner } from '../../model/capability.ts';

/** What controls the pod. Where no reference says that it does, the first one counts, as in Falco Talon. */
export function ownerOf({ metadata }: V1Pod): Owner | null {
  const references = metadata?.ownerReferences ?? [];
  const owner = references.find(({ controller }) => controller) ?? references[0];
  return owner ? { kind: ownerKind(owner), name: owner.name } : null;
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

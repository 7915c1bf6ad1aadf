import type { LabelChanges } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import { podNotFound } from '../../model/kube-names.ts';
import type { NodeTarget, PodTarget } from '../../model/targets.ts';
import type { KubeDoorMeans } from './kube-door-means.ts';
import { whenMissing } from './when-missing.ts';

type PatchDoors = Pick<Adapters, 'pods.label' | 'pods.annotate' | 'nodes.label' | 'nodes.annotate' | 'nodes.cordon'>;

/**
 * The doors that change a field of a pod or a node. Each is one merge patch: a null removes, what is not named stays, and the
 * same patch again changes nothing.
 */
export function patchDoors({ open }: Pick<KubeDoorMeans, 'open'>): PatchDoors {
  /** Where the UID is known the pod that has the name by now is left alone. */
  const patchPod = async (pod: PodTarget, changes: Changes, signal: AbortSignal) => {
    const metadata = { ...(pod.uid !== undefined && { uid: pod.uid }), ...changes };
    await open()
      .mergePod(pod, { metadata }, signal)
      .catch(whenMissing(() => podNotFound(pod)));
  };
  const patchNode = async (node: NodeTarget, patch: object, signal: AbortSignal) => {
    await open().mergeNode(node.name, patch, signal).catch(failOfNode(node));
  };
  return {
    'pods.label': (pod, labels, signal) => patchPod(pod, { labels }, signal),
    'pods.annotate': (pod, annotations, signal) => patchPod(pod, { annotations }, signal),
    'nodes.label': (node, labels, signal) => patchNode(node, { metadata: { labels } }, signal),
    'nodes.annotate': (node, annotations, signal) => patchNode(node, { metadata: { annotations } }, signal),
    'nodes.cordon': (node, signal) => patchNode(node, { spec: { unschedulable: true } }, signal),
  };
}

type Changes = { readonly labels: LabelChanges } | { readonly annotations: LabelChanges };

/** A node that is not there is no alert about nothing: its pod was found. */
function failOfNode({ name }: NodeTarget) {
  return (error: unknown): never => {
    const missing = error instanceof DoorError && error.code === 'not-found';
    throw missing ? new DoorError('refused', `error getting node '${name}': ${error.message}`) : error;
  };
}

import type { V1Pod } from '@kubernetes/client-node';
import type { NodePod } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { NodeTarget, PodTarget } from '../../model/targets.ts';
import type { KubeClient, ObjectName } from './kube-client.ts';
import { isMirror, ownerOf } from './pod-owner.ts';

/** Pods of one answer. Kubernetes itself does not support that many on a node. */
const MOST_PODS = 1000;

/** @throws DoorError of code `refused` for more than 1,000 pods: an action on a part of them would look complete */
export async function podsOfNode(
  client: KubeClient,
  { name }: NodeTarget,
  self: ObjectName | undefined,
  signal: AbortSignal,
): Promise<(Omit<NodePod, 'pod'> & { readonly pod: PodTarget })[]> {
  const found: V1Pod[] = [];
  let after: string | undefined;
  do {
    const page = await client.listPodsOfNode(name, after, signal);
    found.push(...page.items);
    after = page.metadata?._continue || undefined;
    if (found.length > MOST_PODS) {
      throw new DoorError('refused', `more than ${MOST_PODS} pods run on the node '${name}'`);
    }
  } while (after !== undefined);
  return found.map((pod) => nodePod(pod, self));
}

function nodePod(found: V1Pod, self: ObjectName | undefined): Omit<NodePod, 'pod'> & { readonly pod: PodTarget } {
  const { name = '', namespace = '', uid } = found.metadata ?? {};
  return {
    pod: { kind: 'pod', namespace, name, ...(uid !== undefined && { uid }) },
    ownerKind: ownerOf(found)?.kind ?? null,
    mirror: isMirror(found),
    self: self?.name === name && self.namespace === namespace,
  };
}

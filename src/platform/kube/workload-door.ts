import type { V1LabelSelector, V1Pod } from '@kubernetes/client-node';
import { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { PodTarget, WorkloadTarget } from '../../model/targets.ts';
import type { KubeClient, ObjectName } from './kube-client.ts';
import { controllingReference, ownerOf } from './pod-owner.ts';

/** What controllers add for each revision; a policy that selected by it would miss the next one. */
const OF_A_REVISION = ['pod-template-hash', 'pod-template-generation', 'controller-revision-hash'];

interface Means {
  readonly open: () => KubeClient;
  readonly pods: { find(client: KubeClient, pod: PodTarget, signal: AbortSignal): Promise<V1Pod> };
}

/** What a pod belongs to: a name, and the labels by which all of its pods are selected. */
interface Selected {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The door from a pod to what it is one of. */
export function workloadDoor({ open, pods }: Means): Pick<AdaptersOf<'pods'>, 'pods.workload'> {
  return {
    'pods.workload': async (target, signal) => {
      const client = open();
      const pod = await pods.find(client, target, signal);
      const { namespace } = target;
      const found = await selectedWith(client, pod, namespace, signal);
      const labels = found && stableLabels(found.labels, pod);
      if (!found || !labels || Object.keys(labels).length === 0) return null;
      return { kind: 'workload', name: found.name, namespace, labels } satisfies WorkloadTarget;
    },
  };
}

/**
 * Falco Talon's way, but a ReplicaSet of a Deployment counts as the Deployment: its own name ends with the next roll-out. A Deployment
 * gives its ReplicaSets the labels that it selects by, so that it need not be read.
 */
async function selectedWith(
  { apis: { apps }, sent }: KubeClient,
  pod: V1Pod,
  namespace: string,
  signal: AbortSignal,
): Promise<Selected | undefined> {
  const owner = ownerOf(pod);
  if (owner === null) return { name: pod.metadata?.name ?? '', labels: pod.metadata?.labels ?? {} };
  const named: ObjectName = { name: owner.name, namespace };
  const options = sent(signal);
  switch (owner.kind) {
    case 'DaemonSet':
      return selected(owner.name, await apps.readNamespacedDaemonSet(named, options).catch(none));
    case 'StatefulSet':
      return selected(owner.name, await apps.readNamespacedStatefulSet(named, options).catch(none));
    case 'ReplicaSet': {
      const replicaSet = await apps.readNamespacedReplicaSet(named, options).catch(none);
      const above = replicaSet && controllingReference(replicaSet);
      const isDeployment = above?.kind === 'Deployment' && above.apiVersion.startsWith('apps/');
      return selected(isDeployment ? above.name : owner.name, replicaSet);
    }
    default:
      return undefined;
  }
}

function selected(
  name: string,
  found: { readonly spec?: { readonly selector: V1LabelSelector } } | undefined,
): Selected | undefined {
  const labels = found?.spec?.selector.matchLabels;
  return labels && { name, labels };
}

function none(error: unknown): undefined {
  if (!(error instanceof DoorError && error.code === 'not-found')) throw error;
}

/**
 * Sorted. Labels that the pod lacks are left out: whoever writes a pod can call any object its owner, and a policy is to hit the pod of
 * the alert.
 */
function stableLabels(labels: Readonly<Record<string, string>>, pod: V1Pod): Readonly<Record<string, string>> {
  const own = pod.metadata?.labels ?? {};
  const kept = Object.entries(labels).filter(([key, value]) => !OF_A_REVISION.includes(key) && own[key] === value);
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

import type { V1Pod } from '@kubernetes/client-node';
import type { Eviction, Owner, Replicas } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import { isObjectName, podNotFound } from '../../model/kube-names.ts';
import type { NodeTarget, PodTarget } from '../../model/targets.ts';
import { deleteDoors } from './delete-doors.ts';
import { eventDoor } from './event-door.ts';
import { GoneWaits } from './gone-waits.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeDoorMeans, KubeDoors } from './kube-door-means.ts';
import { KubeRefusal } from './kube-refusal.ts';
import { logDoors } from './log-doors.ts';
import { podsOfNode } from './node-pods.ts';
import { patchDoors } from './patch-doors.ts';
import { PodLookups } from './pod-lookups.ts';
import { ownerOf } from './pod-owner.ts';
import { networkPolicyDoors } from './policies/network-policy-doors.ts';
import { captureDoors } from './programs/capture-doors.ts';
import { execDoors } from './programs/exec-doors.ts';
import { containerDoors } from './programs/pod-containers.ts';
import { whenMissing } from './when-missing.ts';
import { workloadDoor } from './workload-door.ts';

/** The doors themselves. What they need is loaded with them: the client, and what talks in WebSockets. */
export function kubeDoors(means: KubeDoorMeans): KubeDoors {
  const { open, self } = means;
  const pods = new PodLookups();
  const waits = new GoneWaits();
  return {
    ...patchDoors(means),
    ...deleteDoors(means),
    ...eventDoor(means),
    ...containerDoors({ ...means, pods }),
    ...execDoors(means),
    ...logDoors(means),
    ...workloadDoor({ open, pods }),
    ...captureDoors({ ...means, pods }),
    ...networkPolicyDoors(means),
    'pods.delete': async (pod, gracePeriodSeconds, signal) => {
      const uid = await pods.uid(open(), pod, signal);
      await open()
        .deletePod(pod, { gracePeriodSeconds, uid }, signal)
        .catch(whenMissing(() => podNotFound(pod)));
    },
    'pods.uid': (pod, signal) => pods.uid(open(), pod, signal),
    'pods.owner': async (pod, signal) => ownerOf(await pods.find(open(), pod, signal)),
    'pods.replicas': async (pod, signal) => {
      const client = open();
      return replicasOf(client, pod, ownerOf(await pods.find(client, pod, signal)), signal);
    },
    'pods.evict': (pod, signal) => evict(open(), pods, pod, signal),
    'pods.gone': async (pod, withinMs, signal) => {
      const uid = await pods.uid(open(), pod, signal).catch(orGone);
      return uid === undefined || waits.gone(open(), { ...pod, uid }, withinMs, signal);
    },
    'nodes.ofPod': async (pod, signal) => nodeOf(pod, await pods.find(open(), pod, signal)),
    'nodes.pods': (node, signal) => podsOfNode(open(), node, self(), signal),
  };
}

/** Milliseconds between two tries to evict where the API server does not say: as long as kubectl waits. */
const EVICT_AGAIN = 5000;

/**
 * Too many requests is an answer: a disruption budget forbids the eviction now, or the server is busy. Of a pod that is gone
 * nothing is left to do, so that it counts as evicted.
 */
async function evict(client: KubeClient, pods: PodLookups, pod: PodTarget, signal: AbortSignal): Promise<Eviction> {
  const uid = await pods.uid(client, pod, signal).catch(orGone);
  if (uid === undefined) return { evicted: true };
  try {
    await client.evictPod(pod, uid, signal);
    return { evicted: true };
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    if (error.gone) return { evicted: true };
    if (error.status !== 429) throw error;
    return { evicted: false, retryAfterMs: error.retryAfterMs ?? EVICT_AGAIN };
  }
}

function orGone(error: unknown): undefined {
  if (!(error instanceof DoorError && error.code === 'not-found')) throw error;
}

async function replicasOf(
  client: KubeClient,
  { namespace, name: pod }: PodTarget,
  owner: Owner | null,
  signal: AbortSignal,
): Promise<Replicas> {
  if (owner?.kind !== 'ReplicaSet') {
    throw new DoorError('refused', `the pod '${pod}' in the namespace '${namespace}' belongs to no ReplicaSet`);
  }
  const { name } = owner;
  const missing = () =>
    new DoorError('refused', `the replicaset '${name}' in the namespace '${namespace}' doesn't exist`);
  const { spec, status } = await client.readReplicaSet({ name, namespace }, signal).catch(whenMissing(missing));
  return { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 };
}

function nodeOf(pod: PodTarget, found: V1Pod): NodeTarget {
  const name = found.spec?.nodeName ?? '';
  if (isObjectName(name)) return { kind: 'node', name };
  throw new DoorError('refused', `the pod '${pod.name}' in the namespace '${pod.namespace}' is on no node yet`);
}

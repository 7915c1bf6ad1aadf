import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import type { Owner, Replicas } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters, NodeTarget, PodTarget } from '../../model/doors.ts';
import { isObjectName, podNotFound } from '../../model/kube-names.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeSettings } from './kube-config.ts';

/** The doors that lead to a Kubernetes API server. */
export interface KubeAdapters {
  readonly adapters: Adapters;
  /**
   * Reads the credentials, without a call. Loads the client, so that no alert has to wait for that.
   *
   * @throws TalonError of code `actionners`; then the doors stay shut, and the next call tries again
   */
  readonly init: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Nothing is read or loaded before `init`. */
export function createKubeAdapters(settings: KubeSettings): KubeAdapters {
  let client: KubeClient | undefined;
  const pods = new PodLookups();
  const open = () => {
    if (!client) throw new DoorError('unreachable', 'wrong k8s client');
    return client;
  };

  return {
    init: async () => {
      const { openKubeClient } = await import('./kube-client.ts');
      client ??= openKubeClient(settings);
    },
    close: async () => {
      await client?.close();
    },
    adapters: {
      'pods.label': async (pod, labels, signal) => {
        const metadata = { ...(pod.uid !== undefined && { uid: pod.uid }), labels };
        await open()
          .mergePod(pod, { metadata }, signal)
          .catch(fail(() => podNotFound(pod)));
      },
      'pods.delete': async (pod, gracePeriodSeconds, signal) => {
        const uid = pod.uid ?? (await pods.find(open(), pod, signal)).metadata?.uid ?? '';
        await open()
          .deletePod(pod, { gracePeriodSeconds, uid }, signal)
          .catch(fail(() => podNotFound(pod)));
      },
      'pods.owner': async (pod, signal) => ownerOf(await pods.find(open(), pod, signal)),
      'pods.replicas': async (pod, signal) => {
        const client = open();
        return replicasOf(client, pod, ownerOf(await pods.find(client, pod, signal)), signal);
      },
      'nodes.ofPod': async (pod, signal) => nodeOf(pod, await pods.find(open(), pod, signal)),
      'nodes.label': async (node, labels, signal) => {
        await open().mergeNode(node.name, { metadata: { labels } }, signal).catch(failOfNode(node));
      },
    },
  };
}

/** What was found out of pods, for as long as their step lasts: its doors share one lookup. */
class PodLookups {
  readonly #found = new WeakMap<PodTarget, Promise<V1Pod>>();

  find(client: KubeClient, pod: PodTarget, signal: AbortSignal): Promise<V1Pod> {
    const known = this.#found.get(pod);
    if (known) return known;
    const lookup = client.readPod(pod, signal).catch(fail(() => podNotFound(pod)));
    this.#found.set(pod, lookup);
    lookup.catch(() => this.#found.delete(pod));
    return lookup;
  }
}

/** What controls the pod. Where no reference says that it does, the first one counts, as in Falco Talon. */
function ownerOf({ metadata }: V1Pod): Owner | null {
  const references = metadata?.ownerReferences ?? [];
  const owner = references.find(({ controller }) => controller) ?? references[0];
  return owner ? { kind: ownerKind(owner), name: owner.name } : null;
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
  const { spec, status } = await client.readReplicaSet({ name, namespace }, signal).catch(fail(missing));
  return { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 };
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

function nodeOf(pod: PodTarget, found: V1Pod): NodeTarget {
  const name = found.spec?.nodeName ?? '';
  if (isObjectName(name)) return { kind: 'node', name };
  throw new DoorError('refused', `the pod '${pod.name}' in the namespace '${pod.namespace}' is on no node yet`);
}

/**
 * Falco Talon's text for an object that does not exist; whatever else went wrong stays what it is. Only the pod that the
 * alert is about counts as `not-found`: without it there was nothing to act on, while another missing object is a failure.
 */
function fail(missing: () => DoorError) {
  return (error: unknown): never => {
    throw error instanceof DoorError && error.code === 'not-found' ? missing() : error;
  };
}

function failOfNode({ name }: NodeTarget) {
  return (error: unknown): never => {
    const missing = error instanceof DoorError && error.code === 'not-found';
    throw missing ? new DoorError('refused', `error getting node '${name}': ${error.message}`) : error;
  };
}

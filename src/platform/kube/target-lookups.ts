import type { V1ContainerStatus, V1Node, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { DoorError } from '../../model/door-error.ts';
import { podNotFound } from '../../model/kube-names.ts';
import type { NodeFacts, PodFacts, TargetLookups } from '../../model/target-facts.ts';
import type { KubeClient } from './kube-client.ts';
import { controllerOf } from './pod-owner.ts';
import { whenMissing } from './when-missing.ts';

/** What guards ask of the API server: always its present state. */
export function createTargetLookups(open: () => KubeClient): TargetLookups {
  return {
    pod: async (pod, signal) => {
      const found = await open()
        .readPod(pod, signal)
        .catch(whenMissing(() => podNotFound(pod)));
      return podFacts(found);
    },
    node: async ({ name }, signal) => {
      const missing = () => new DoorError('not-found', `the node '${name}' doesn't exist`);
      return nodeFacts(name, await open().readNode(name, signal).catch(whenMissing(missing)));
    },
  };
}

function podFacts(pod: V1Pod): PodFacts {
  const { name = '', namespace = '', uid = '', labels = {} } = pod.metadata ?? {};
  return {
    namespace,
    name,
    uid,
    labels,
    owner: controllerOf(pod),
    node: pod.spec?.nodeName ?? '',
    containerIds: containerIds(pod.status),
  };
}

/** Also those of containers that ended: an alert may be about the one before a restart. */
function containerIds(status: V1PodStatus | undefined): readonly string[] {
  const containers = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const ids = containers.flatMap(idsOf).map((id) => id.replace(/^[^:/]*:\/\//, ''));
  return [...new Set(ids)];
}

function idsOf({ containerID, state, lastState }: V1ContainerStatus): string[] {
  const ids = [containerID, state?.terminated?.containerID, lastState?.terminated?.containerID];
  return ids.flatMap((id) => id || []);
}

function nodeFacts(name: string, { metadata, status }: V1Node): NodeFacts {
  const labels = metadata?.labels ?? {};
  const addresses = (status?.addresses ?? []).filter(({ type }) => type === 'Hostname');
  const names = [name, labels['kubernetes.io/hostname'] ?? '', ...addresses.map(({ address }) => address)];
  return { name, labels, hostnames: [...new Set(names.filter((each) => each !== ''))] };
}

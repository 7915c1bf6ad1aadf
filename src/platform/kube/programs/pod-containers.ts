import type { V1Pod } from '@kubernetes/client-node';
import { podNotFound } from '../../../model/kube-names.ts';
import type { ContainerTarget, PodTarget } from '../../../model/targets.ts';
import type { KubeDoorMeans, KubeDoors } from '../kube-door-means.ts';
import type { PodLookups } from '../pod-lookups.ts';

/** The doors to the containers of a pod. */
export function containerDoors({
  open,
  pods,
}: KubeDoorMeans & { readonly pods: PodLookups }): Pick<KubeDoors, 'pods.containers' | 'pods.containerIds'> {
  const find = async (pod: PodTarget, signal: AbortSignal) => the(pod, await pods.find(open(), pod, signal));
  return {
    'pods.containers': async (pod, signal) => containersOf(pod, await find(pod, signal)),
    'pods.containerIds': async (pod, signal) => containerIdsOf(await find(pod, signal)),
  };
}

/** The very pod that is meant: neither exec nor logs can be tied to a UID, so that it has to be looked at before. */
function the(pod: PodTarget, found: V1Pod): V1Pod {
  const { uid } = found.metadata ?? {};
  if (pod.uid !== undefined && pod.uid !== '' && uid !== pod.uid) throw podNotFound(pod);
  return found;
}

function containersOf(pod: PodTarget, { metadata, spec }: V1Pod): ContainerTarget[] {
  const uid = metadata?.uid;
  const very: PodTarget = uid === undefined ? pod : { ...pod, uid };
  return (spec?.containers ?? []).map(({ name }) => ({ kind: 'container', name, pod: very }));
}

/** Those that run or ended last. A container that was never started has none. */
function containerIdsOf({ status }: V1Pod): string[] {
  const ids = (status?.containerStatuses ?? []).flatMap(({ containerID }) => containerID || []);
  return ids.map((id) => id.replace(/^[^:/]*:\/\//, ''));
}

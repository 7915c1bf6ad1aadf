import { randomBytes } from 'node:crypto';
import type { V1EphemeralContainer, V1Pod } from '@kubernetes/client-node';
import { DoorError } from '../../../model/door-error.ts';
import { podNotFound } from '../../../model/kube-names.ts';
import type { ContainerTarget, PodTarget } from '../../../model/targets.ts';
import { lookUntil } from '../look-until.ts';
import { whenMissing } from '../when-missing.ts';
import type { CaptureContainer, CaptureMeans } from './capture-means.ts';
import { whyNotRunning } from './container-state.ts';

/** Milliseconds. */
const READY = 20_000;

/**
 * Adds an ephemeral container to the pod that may see its packets and is not privileged, and waits until it runs. Nobody can take
 * it away again: it ends by itself.
 *
 * @throws DoorError, also with the words of the node about an image that cannot be pulled, and those of the API server where the
 *   namespace forbids such containers
 */
export async function captureInPod(
  { open, pods, captures }: CaptureMeans,
  pod: PodTarget,
  given: CaptureContainer,
  signal: AbortSignal,
): Promise<ContainerTarget> {
  const client = open();
  const found = await pods.find(client, pod, signal);
  const uid = pod.uid ?? found.metadata?.uid;
  const container = packetContainer(given, found);
  const { name, namespace } = pod;
  const body = { metadata: { uid }, spec: { ephemeralContainers: [container] } };
  await client.apis.core
    .patchNamespacedPodEphemeralcontainers({ name, namespace, body }, client.sent(signal, STRATEGIC_MERGE))
    .catch(whenMissing(() => podNotFound(pod)));

  let state: ReturnType<typeof stateOf>;
  const notReady = () => {
    const where = `in the pod '${name}' in the namespace '${namespace}'`;
    return new DoorError('refused', `ephemeral container for the tcpdump not ready ${where}${whyNotRunning(state)}`);
  };
  const look = async () => {
    const now = await client.readPod(pod, signal).catch(whenMissing(() => podNotFound(pod)));
    if (now.metadata?.uid !== uid) throw podNotFound(pod);
    state = stateOf(now, container.name);
    if (state?.terminated) throw notReady();
    return state?.running;
  };
  if (!(await lookUntil(look, captures.readyTimeout ?? READY, signal))) throw notReady();
  return { kind: 'container', name: container.name, pod: { ...pod, ...(uid !== undefined && { uid }) } };
}

const STRATEGIC_MERGE = 'application/strategic-merge-patch+json';

function packetContainer({ image, imagePullPolicy, command }: CaptureContainer, pod: V1Pod): V1EphemeralContainer {
  const [first] = pod.spec?.containers ?? [];
  if (!first) throw new DoorError('refused', 'no container found');
  return {
    name: `falco-talon-tcpdump-${randomBytes(3).toString('hex').slice(0, 5)}`,
    image,
    imagePullPolicy,
    command: [...command],
    targetContainerName: first.name,
    terminationMessagePolicy: 'File',
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      // Raw sockets take root, also where the other containers of the pod may not be it.
      runAsUser: 0,
      runAsNonRoot: false,
      // Many builds of tcpdump stop being root as soon as they have their socket, which takes SETGID and SETUID. Then KILL is
      // what lets root end them when their time is over.
      capabilities: { drop: ['ALL'], add: ['NET_RAW', 'NET_ADMIN', 'SETGID', 'SETUID', 'KILL'] },
    },
  };
}

function stateOf({ status }: V1Pod, container: string) {
  return status?.ephemeralContainerStatuses?.find(({ name }) => name === container)?.state;
}

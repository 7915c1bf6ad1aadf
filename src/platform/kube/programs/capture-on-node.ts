import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { DoorError } from '../../../model/door-error.ts';
import type { Found } from '../../../model/door-row.ts';
import type { PodTarget } from '../../../model/targets.ts';
import type { KubeClient, ObjectName } from '../kube-client.ts';
import { lookUntil } from '../look-until.ts';
import { captureJob } from './capture-job.ts';
import type { CaptureContainer, CaptureMeans } from './capture-means.ts';
import { whyNotRunning } from './container-state.ts';

/** Milliseconds: Falco Talon waits a minute for the job, and then 20 s for its pod. */
const READY = 80_000;

/** Milliseconds for the removal of a job, and between two tries of it. */
const REMOVAL = 10_000;
const REMOVE_AGAIN = 1000;

/**
 * Runs a privileged container on the node of the pod, by a job that is deleted when the step ends, however it ends. Where that
 * fails the job ends by itself, and Kubernetes removes it an hour later.
 *
 * @throws DoorError, also with the words of the node about an image that cannot be pulled
 */
export async function captureOnNode(
  means: CaptureMeans,
  pod: PodTarget,
  container: CaptureContainer,
  ttlSeconds: number,
  signal: AbortSignal,
): Promise<Found<'captures.onNode'>> {
  const { open, pods, captures, finish, self } = means;
  const client = open();
  const nodeName = (await pods.find(client, pod, signal)).spec?.nodeName;
  if (!nodeName) {
    throw new DoorError('refused', `the pod '${pod.name}' in the namespace '${pod.namespace}' is on no node yet`);
  }
  const name = `falco-talon-sysdig-${randomBytes(3).toString('hex').slice(0, 5)}`;
  const namespace = captures.namespace ?? self()?.namespace ?? pod.namespace;
  const ready = captures.readyTimeout ?? READY;
  const body = captureJob({ name, nodeName, container, ttlSeconds, startSeconds: Math.ceil(ready / 1000) });
  await createJob(client, { name, namespace }, body, signal, finish);
  const running = await untilReady(client, { name, namespace }, ready, signal);
  const { name: podName = '', uid } = running.metadata ?? {};
  const jobPod: PodTarget = { kind: 'pod', name: podName, namespace, ...(uid !== undefined && { uid }) };
  const [only] = body.spec?.template.spec?.containers ?? [];
  return { container: { kind: 'container', name: only?.name ?? '', pod: jobPod }, job: name };
}

/** Its removal is on the way before it is known whether there is a job: an answer may be lost. */
async function createJob(
  client: KubeClient,
  job: ObjectName,
  body: V1Job,
  signal: AbortSignal,
  finish: CaptureMeans['finish'],
): Promise<void> {
  const removeAtEnd = () => finish(removeJob(client, job));
  signal.addEventListener('abort', removeAtEnd, { once: true });
  try {
    await client.apis.batch.createNamespacedJob({ namespace: job.namespace, body }, client.sent(signal));
  } catch (error) {
    const isRefused = error instanceof DoorError && error.code !== 'unreachable' && error.code !== 'busy';
    if (isRefused) signal.removeEventListener('abort', removeAtEnd);
    throw error;
  }
}

async function removeJob(client: KubeClient, { name, namespace }: ObjectName): Promise<void> {
  const signal = AbortSignal.timeout(REMOVAL);
  const options = { propagationPolicy: 'Background' };
  while (!signal.aborted) {
    try {
      await client.apis.batch.deleteNamespacedJob({ name, namespace, body: options }, client.sent(signal));
      return;
    } catch (error) {
      if (error instanceof DoorError && (error.code === 'not-found' || error.code === 'refused')) return;
      await sleep(REMOVE_AGAIN, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The pod of the job, once its container is ready. */
async function untilReady(
  client: KubeClient,
  { name, namespace }: ObjectName,
  within: number,
  signal: AbortSignal,
): Promise<V1Pod> {
  let seen: V1Pod | undefined;
  const notReady = () => {
    const job = `the job '${name}' in the namespace '${namespace}'`;
    const text = seen ? `${job} for the sysdig capture is not ready${whyNot(seen)}` : `${job} is not ready`;
    return new DoorError('refused', text);
  };
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  const look = async () => {
    const { items } = await client.apis.core.listNamespacedPod({ namespace, labelSelector }, client.sent(signal));
    [seen = seen] = items;
    const { phase, containerStatuses = [] } = seen?.status ?? {};
    if (phase === 'Failed' || phase === 'Succeeded') throw notReady();
    return phase === 'Running' && containerStatuses[0]?.ready ? seen : undefined;
  };
  const ready = await lookUntil(look, within, signal);
  if (!ready) throw notReady();
  return ready;
}

/** What the node says of the container, or else of the pod. */
function whyNot({ status }: V1Pod): string {
  const ofContainer = whyNotRunning(status?.containerStatuses?.[0]?.state);
  if (ofContainer !== '') return ofContainer;
  const { reason = '', message = '' } = status ?? {};
  return whyNotRunning({ terminated: { exitCode: 0, reason, message } });
}

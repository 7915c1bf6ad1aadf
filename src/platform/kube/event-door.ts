import type { CoreV1Event, V1ObjectReference } from '@kubernetes/client-node';
import type { KubeEvent } from '../../model/capability.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import { isNamespaceName, isObjectName } from '../../model/kube-names.ts';
import type { SubjectTarget } from '../../model/targets.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeDoorMeans } from './kube-door-means.ts';
import { KubeRefusal } from './kube-refusal.ts';

const COMPONENT = 'falco-talon';
/** Where events are that belong to no namespace, or to one that is not there. */
const ELSEWHERE = 'default';

/**
 * The door to Kubernetes events. Fields and their values are Falco Talon's, and the version of the object beside its kind, so
 * that `kubectl describe` finds the event.
 */
export function eventDoor({ open }: Pick<KubeDoorMeans, 'open'>): AdaptersOf<'events'> {
  return {
    'events.create': async (subject, event, signal) => {
      const client = open();
      const about = { ...subject, name: isObjectName(subject.name) ? subject.name : '' };
      const at = new MicroTime();
      const create = async (namespace: string) => {
        const involvedObject = await referenceTo(client, about, namespace, signal);
        const body = bodyOf(event, involvedObject, at);
        await client.apis.core.createNamespacedEvent({ namespace, body }, client.sent(signal));
      };
      const namespace = isNamespaceName(subject.namespace) ? subject.namespace : ELSEWHERE;
      await create(namespace).catch(async (error: unknown) => {
        if (namespace === ELSEWHERE || !takesNoEvents(error)) throw error;
        await create(ELSEWHERE);
      });
    },
  };
}

/** The namespace does not exist, ends, or is not to be written to. */
function takesNoEvents(error: unknown): boolean {
  return error instanceof KubeRefusal && (error.status === 404 || error.status === 403);
}

/** An event is only about what is in its own namespace, or about what is in none. */
async function referenceTo(
  client: KubeClient,
  { of: kind, name, namespace: own }: SubjectTarget,
  namespace: string,
  signal: AbortSignal,
): Promise<V1ObjectReference> {
  const reference = { apiVersion: 'v1', kind, name };
  // The kubelet gives its node's name for the UID in events about it, and people look for that.
  if (kind === 'Node') return { ...reference, uid: name };
  if (name === '' || own !== namespace) return { ...reference, namespace };
  const pod = await client.readPod({ name, namespace }, signal).catch(() => undefined);
  return { ...reference, namespace, ...(pod?.metadata?.uid && { uid: pod.metadata.uid }) };
}

function bodyOf(
  { type, reason, action, message }: KubeEvent,
  involvedObject: V1ObjectReference,
  eventTime: MicroTime,
): CoreV1Event {
  return {
    metadata: { generateName: `${COMPONENT}-` },
    ...{ involvedObject, reason, message, type, eventTime, action },
    source: { component: COMPONENT },
    reportingComponent: `falcosecurity.org/${COMPONENT}`,
    reportingInstance: COMPONENT,
  };
}

/** The API server reads times of events with six decimals alone. */
class MicroTime extends Date {
  override toISOString(): string {
    return super.toISOString().replace('Z', '000Z');
  }
}

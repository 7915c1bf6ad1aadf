import type { Actionner } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import {
  FIELD_KEYS,
  fieldText,
  namespace,
  podName,
  targetName,
  targetNamespace,
  targetResource,
} from '../../model/event-fields.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { FactsNeeded } from '../../model/guard-expression.ts';
import type { TargetFacts, TargetNames } from '../../model/guard-variables.ts';
import { isNamespaceName, isObjectName, podNotFound } from '../../model/kube-names.ts';
import type { NodeFacts, PodFacts, TargetLookups } from '../../model/target-facts.ts';
import type { PodTarget } from '../../model/targets.ts';

const NOTHING: TargetNames = { resource: '', namespace: '', name: '' };

/**
 * What the action is about, as the executor will read it from the alert: the pod or the audited object that its actionner
 * requires. A namespace that is itself the object counts as its own,
 * and what is in none as in none.
 *
 * @throws DoorError('not-found') for what no pod, and no other object, can be called: policies compare names, and `a/../b` is
 *   none that they know
 */
export function targetOf({ requires }: Actionner, event: FalcoEvent): TargetNames {
  if (requires.includes(FIELD_KEYS.podName)) {
    const pod = { resource: 'pods', namespace: namespace(event) ?? '', name: podName(event) ?? '' };
    if (!isObjectName(pod.name) || !isNamespaceName(pod.namespace)) throw podNotFound(pod);
    return pod;
  }
  if (!requires.includes(FIELD_KEYS.targetResource)) return NOTHING;
  const resource = targetResource(event) ?? '';
  const name = targetName(event) ?? '';
  const within = placeOf(resource, name, event);
  const isSomewhere = within === '' ? resource !== 'pods' : isNamespaceName(within);
  if (!/^[a-z0-9-]+$/.test(resource) || !isPathSegment(name) || !isSomewhere) {
    throw new DoorError('not-found', `the ${resource} '${name}' in the namespace '${within}' cannot exist`);
  }
  return { resource, name, namespace: within };
}

/**
 * A namespace is in itself, and a cluster role in none, whatever the alert says: a guard that lets objects of one namespace go
 * must not be shown that one for what counts everywhere.
 */
function placeOf(resource: string, name: string, event: FalcoEvent): string {
  if (resource === 'namespaces') return name;
  return resource === 'clusterroles' ? '' : (targetNamespace(event) ?? '');
}

/** What Kubernetes asks of names of all kinds; those of cluster roles, for example, are freer than those of pods. */
function isPathSegment(name: string): boolean {
  return name !== '.' && name !== '..' && /^[^/%\p{C}\s]+$/u.test(name);
}

/**
 * Looks up what is needed of the target; of anything but a pod nothing is known, and it is not verified.
 *
 * @throws DoorError as the lookups do
 */
export async function lookUpFacts(
  { resource, namespace, name }: TargetNames,
  needs: FactsNeeded,
  event: FalcoEvent,
  lookups: TargetLookups,
  signal: AbortSignal,
): Promise<TargetFacts> {
  if (needs === 'none' || resource !== 'pods') return { verified: false };
  const target: PodTarget = { kind: 'pod', namespace, name };
  const pod = await lookups.pod(target, signal);
  if (needs === 'pod' || pod.node === '') return { pod, verified: false };
  const node = await lookups.node({ kind: 'node', name: pod.node }, signal);
  return { pod, node, verified: isVerified(event, pod, node) };
}

/** What runtimes call containers: 64 hex digits, of which Falco shows the first 12. */
const CONTAINER_ID = /^[0-9a-f]{12}(?:[0-9a-f]{52})?$/;

/**
 * Whether the alert knows what can be seen on the pod's node, or by who may read the pod: the container's id is one of the
 * pod's, and the pod runs on the host that the alert came from. A forged alert does not, nor does one that is older than the pod.
 */
export function isVerified(event: FalcoEvent, pod: PodFacts, node: NodeFacts): boolean {
  const id = fieldText(event, 'container.id') ?? '';
  if (!CONTAINER_ID.test(id) || event.hostname === '') return false;
  return pod.containerIds.some((known) => known.startsWith(id)) && node.hostnames.includes(event.hostname);
}

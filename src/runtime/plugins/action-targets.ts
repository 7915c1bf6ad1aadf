import type { Actionner, Reach, Targets } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Mint } from '../../model/door-row.ts';
import {
  FIELD_KEYS,
  namespace,
  podName,
  targetName,
  targetNamespace,
  targetResource,
} from '../../model/event-fields.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { DELETABLE, isNamespaceName, isObjectName, objectNotFound, podNotFound } from '../../model/kube-names.ts';
import type { EndpointAddress, EndpointTarget, FunctionTarget, PodTarget } from '../../model/targets.ts';

/** What the targets of an action are made of. */
export interface ActionTargets {
  readonly actionner: Actionner;
  readonly event: FalcoEvent;
  /** The pod of the alert where it was looked up already; it takes the place of the one that the alert names. */
  readonly pod?: PodTarget | undefined;
  readonly reach: Reach;
  /** What a function is called with. @param fields output fields that it is told of, if not all */
  readonly payload: (fields?: readonly string[]) => string;
  readonly traceId?: string | undefined;
}

/**
 * Mints what the code of an actionner begins with: what the alert names, and what the parameters lead to.
 *
 * @throws DoorError of code `not-found` for names that are none. A sender who writes `..` there would make the path of another
 *   object out of it.
 */
export function mintTargets({ actionner: { requires }, reach, ...given }: ActionTargets, mint: Mint): Targets {
  const { event } = given;
  return {
    ...(requires.includes(FIELD_KEYS.podName) && { pod: mint(given.pod ?? podTarget(event)) }),
    ...(requires.includes(FIELD_KEYS.targetResource) && { object: mint(objectTarget(event)) }),
    ...(reach.endpoint && { endpoint: mint(endpointTarget(reach.endpoint)) }),
    ...(reach.called && { called: mint(functionTarget(reach.called, given)) }),
  };
}

function functionTarget(
  { name, location, fields }: NonNullable<Reach['called']>,
  { payload, traceId }: Pick<ActionTargets, 'payload' | 'traceId'>,
): FunctionTarget {
  return { kind: 'function', name, location, payload: payload(fields), ...(traceId && { traceId }) };
}

/** An endpoint by its URL; its name is the host alone. */
export function endpointTarget(address: EndpointAddress): EndpointTarget {
  return { kind: 'endpoint', name: URL.canParse(address.url) ? new URL(address.url).host : '', ...address };
}

function podTarget(event: FalcoEvent): PodTarget {
  const pod: PodTarget = { kind: 'pod', namespace: namespace(event) ?? '', name: podName(event) ?? '' };
  if (!isObjectName(pod.name) || !isNamespaceName(pod.namespace)) throw podNotFound(pod);
  return pod;
}

const UNMANAGED = `the resource doesn't exist or its type is not yet managed`;

function objectTarget(event: FalcoEvent) {
  const resource = targetResource(event) ?? '';
  const name = targetName(event) ?? '';
  if (!Object.hasOwn(DELETABLE, resource)) throw new DoorError('not-found', UNMANAGED);
  const inNone = resource === 'namespaces' || resource === 'clusterroles';
  const namespace = inNone ? '' : (targetNamespace(event) ?? '');
  // The names of roles may hold what others may not, but nothing that would lead elsewhere in a path.
  const isName = /roles$/.test(resource) ? /^[^/%]+$/.test(name) && name !== '.' && name !== '..' : isObjectName(name);
  if (isName && name.length <= 253 && (inNone || isNamespaceName(namespace))) {
    return { kind: 'object', resource, name, namespace } as const;
  }
  throw objectNotFound({ resource, name, namespace });
}

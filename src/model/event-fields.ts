import type { FalcoEvent } from './falco-event.ts';
import { JsonNumber } from './json-value.ts';
import { plainNumber } from './text-form.ts';

/**
 * The text of an output field, or undefined when the field is absent or neither a string nor a number. An empty text is
 * present. Numbers are plain decimals.
 */
export function fieldText(event: FalcoEvent, key: string): string | undefined {
  const value = event.output_fields?.get(key);
  if (typeof value === 'string') return value;
  return value instanceof JsonNumber ? plainNumber(value) : undefined;
}

/** The first of several fields that is present. */
export function firstFieldText(event: FalcoEvent, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const text = fieldText(event, key);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The fields of an alert that say who is concerned, in the order in which Falco Talon asks for them. */
export const FIELD_KEYS = {
  podName: ['k8s.pod.name', 'ka.target.pod.name', 'ka.target.name'],
  namespace: ['k8s.ns.name', 'ka.target.namespace'],
  targetName: ['ka.target.name'],
  targetNamespace: ['ka.target.namespace'],
  targetResource: ['ka.target.resource'],
  remoteIp: ['fd.rip', 'fd.sip'],
  remotePort: ['fd.rport', 'fd.sport'],
  remoteProtocol: ['fd.rproto', 'fd.sproto'],
} as const satisfies Record<string, readonly string[]>;

/** Name of the pod. */
export const podName = (event: FalcoEvent): string | undefined => firstFieldText(event, FIELD_KEYS.podName);

/** Namespace of the pod or of the audited object. */
export const namespace = (event: FalcoEvent): string | undefined => firstFieldText(event, FIELD_KEYS.namespace);

/** Name of the audited object. */
export const targetName = (event: FalcoEvent): string | undefined => firstFieldText(event, FIELD_KEYS.targetName);

/** Namespace of the audited object. */
export const targetNamespace = (event: FalcoEvent): string | undefined =>
  firstFieldText(event, FIELD_KEYS.targetNamespace);

/** Resource of the audited object, in the plural (`deployments`). */
export const targetResource = (event: FalcoEvent): string | undefined =>
  firstFieldText(event, FIELD_KEYS.targetResource);

/** Address of the other end of a connection. */
export const remoteIp = (event: FalcoEvent): string | undefined => firstFieldText(event, FIELD_KEYS.remoteIp);

/** Port of the other end of a connection, as decimals. */
export const remotePort = (event: FalcoEvent): string | undefined => firstFieldText(event, FIELD_KEYS.remotePort);

/** Transport protocol of a connection. */
export const remoteProtocol = (event: FalcoEvent): string | undefined =>
  firstFieldText(event, FIELD_KEYS.remoteProtocol);

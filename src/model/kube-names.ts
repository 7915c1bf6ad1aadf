import { DoorError } from './door-error.ts';

/**
 * Whether a text can be the name of a pod or a node (RFC 1123 subdomain). Names come from alerts, and so from
 * whoever sends one; they become parts of paths only when they pass here.
 */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
}

/** Whether a text can be the name of a namespace (RFC 1123 label). */
export function isNamespaceName(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

/** A name for an error text. What is longer than any name may be is none, and may fill logs and journals. */
export function shown(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}…`;
}

const LONGEST_NAME = 253;

/** Falco Talon's error for a pod that the API server does not know. */
export function podNotFound({ name, namespace }: { readonly name: string; readonly namespace: string }): DoorError {
  return new DoorError('not-found', `the pod '${shown(name)}' in the namespace '${shown(namespace)}' doesn't exist`);
}

/** An object of an audit alert by its names. */
interface NamedObject {
  /** Plural: `deployments`. */
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
}

/** An object as Falco Talon's sentences name it: `deployment 'web' in the namespace 'shop'`; cluster roles are in an empty one. */
export function placedObject({ resource, name, namespace }: NamedObject): string {
  const where = resource === 'namespaces' ? '' : ` in the namespace '${shown(namespace)}'`;
  return `${resource.slice(0, -1)} '${shown(name)}'${where}`;
}

/** Falco Talon's error for an object that the API server does not know. */
export function objectNotFound(object: NamedObject): DoorError {
  return new DoorError('not-found', `the ${placedObject(object)} doesn't exist`);
}

/** The kinds of objects that can be deleted, as audit alerts name them, with their API groups. */
export const DELETABLE: Readonly<Record<string, string>> = {
  namespaces: '',
  configmaps: '',
  secrets: '',
  services: '',
  serviceaccounts: '',
  deployments: 'apps',
  daemonsets: 'apps',
  statefulsets: 'apps',
  replicasets: 'apps',
  roles: 'rbac.authorization.k8s.io',
  clusterroles: 'rbac.authorization.k8s.io',
};

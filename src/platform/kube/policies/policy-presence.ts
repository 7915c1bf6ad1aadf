import type { Door } from '../../../model/capability.ts';
import type { KubeClient } from '../kube-client.ts';
import { KubeRefusal } from '../kube-refusal.ts';
import { CALICO } from './calico-policy.ts';
import { CILIUM } from './cilium-policy.ts';
import type { PolicyKind } from './network-policy.ts';

/** The kinds that come with an extension, by the doors that make objects of them. */
const EXTENSIONS: ReadonlyMap<Door, PolicyKind> = new Map([
  ['calico.deny', CALICO],
  ['cilium.deny', CILIUM],
]);

/**
 * Says that the API server does not know the kind of policy that a door makes. Undefined where it does, where the door makes none,
 * and where nobody knows: the server does not answer, or not to everybody.
 *
 * @param open throws while there is no client
 */
export async function policyProblem(
  open: () => KubeClient,
  door: Door,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kind = EXTENSIONS.get(door);
  if (!kind) return undefined;
  try {
    const { apis, sent } = open();
    const { group, version, plural } = kind;
    const { resources } = await apis.custom.getAPIResources({ group, version }, sent(signal));
    return resources.some(({ name }) => name === plural) ? undefined : unserved(kind);
  } catch (error) {
    return error instanceof KubeRefusal && error.status === 404 ? unserved(kind) : undefined;
  }
}

/** What is said of a kind that is not there. */
export function unserved({ plural, group, version, comesWith }: PolicyKind): string {
  return `the API server does not serve ${plural}.${group} of version ${version}, which come with ${comesWith}`;
}

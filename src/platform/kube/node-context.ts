import type { V1Node } from '@kubernetes/client-node';
import type { NodeSource } from '../../model/context-sources.ts';
import { DoorError } from '../../model/door-error.ts';
import { isNamespaceName, isObjectName, podNotFound } from '../../model/kube-names.ts';
import type { KubeClient, ObjectName } from './kube-client.ts';
import { whenMissing } from './when-missing.ts';

type Reads = Pick<KubeClient, 'readPod' | 'readNode'>;

/**
 * The context `k8snode`: what the API server knows of the node that a pod runs on.
 *
 * @param open throws a DoorError while there is no client
 */
export function nodeSource(open: () => Reads): NodeSource {
  return {
    nodeOf: async (pod, signal) => nodeNameOf(open(), pod, signal),
    facts: async (node, signal) => {
      const found = await open()
        .readNode(node, signal)
        .catch((error: Error) => {
          throw new DoorError('refused', `error getting node '${node}': ${error.message}`);
        });
      return valuesOf(found);
    },
  };
}

async function nodeNameOf(client: Reads, { name, namespace }: ObjectName, signal: AbortSignal): Promise<string> {
  const pod = { name, namespace };
  const missing = () => podNotFound(pod);
  if (!isObjectName(name) || !isNamespaceName(namespace)) throw missing();
  const { spec } = await client.readPod(pod, signal).catch(whenMissing(missing));
  const node = spec?.nodeName ?? '';
  if (isObjectName(node)) return node;
  throw new DoorError('refused', `the pod '${name}' in the namespace '${namespace}' is on no node yet`);
}

const ROLE_LABEL = 'node-role.kubernetes.io/';

function valuesOf({ metadata, spec }: V1Node): ReadonlyMap<string, string> {
  const labels = metadata?.labels ?? {};
  const values: readonly (readonly [string, string | undefined])[] = [
    ['node.hostname', labels['kubernetes.io/hostname']],
    ['node.instancetype', labels['node.kubernetes.io/instance-type']],
    ['node.role', labels['kubernetes.io/role'] || rolesOf(labels)],
    ['node.topology.region', labels['topology.kubernetes.io/region']],
    ['node.topology.zone', labels['topology.kubernetes.io/zone']],
    ['node.spec.providerid', spec?.providerID],
  ];
  return new Map(values.flatMap(([key, value]) => (value ? [[key, value] as const] : [])));
}

/** The roles in the names of labels, which is where clusters have them: `control-plane,etcd`. */
function rolesOf(labels: Readonly<Record<string, string>>): string {
  const roles = Object.keys(labels).filter((key) => key.startsWith(ROLE_LABEL));
  return roles
    .map((key) => key.slice(ROLE_LABEL.length))
    .filter((role) => role !== '')
    .sort()
    .join(',');
}

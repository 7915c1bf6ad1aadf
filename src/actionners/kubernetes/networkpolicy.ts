import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { cidrList, namespaceList } from '../../model/parameters.ts';

/** Cuts the egress of the pod's workload, but for what is allowed. */
export const networkpolicy = defineActionner({
  id: 'kubernetes:networkpolicy',
  description: 'Deny the egress of the pod and its siblings, but for the allowed networks and namespaces',
  sources: ['syscalls'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    allow_cidr: cidrList('networks that stay reachable; none when left out'),
    allow_namespaces: namespaceList('namespaces whose pods stay reachable'),
  }),
  example: `- action: Cut the egress
  actionner: kubernetes:networkpolicy
  parameters:
    allow_cidr:
      - 192.168.1.0/24
      - 172.17.0.0/16
    allow_namespaces:
      - green-ns
      - blue-ns
`,
  behaviour: {
    idempotent: true,
    uses: ['pods.workload', 'networkpolicies.apply'],
    deadline: 60,
    writes: () => ['owner'],
    async run({ parameters: { allow_cidr = [], allow_namespaces = [] }, targets, use }) {
      const { name: pod, namespace } = podOf(targets);
      const workload = await use['pods.workload'](podOf(targets));
      if (!workload) {
        const error = `can't find the owner and/or labels for the pod '${pod}' in namespace '${namespace}'`;
        throw new DoorError('refused', error, { objects: { pod, namespace } });
      }
      const peers = [
        ...allow_cidr.map((cidr) => ({ cidr })),
        ...allow_namespaces.map((allowed) => ({ namespace: allowed })),
      ];
      const { name, change } = await use['networkpolicies.apply'](workload, peers);
      const output = `the networkpolicy '${name}' in the namespace '${namespace}' has been ${change}`;
      return { status: 'success', output, objects: { pod, namespace, networkpolicy: name } };
    },
  },
});

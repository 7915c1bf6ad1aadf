import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS, remoteIp } from '../../model/event-fields.ts';
import { cidrList, namespaceList } from '../../model/parameters.ts';

/** Denies the pod's workload the remote address of the alert, by a policy of Cilium. */
export const networkpolicy = defineActionner({
  id: 'cilium:networkpolicy',
  description: 'Deny the pod and its siblings the remote address of the alert, by a policy of Cilium',
  sources: ['syscalls'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace, FIELD_KEYS.remoteIp],
  parameters: z.object({
    allow_cidr: cidrList('networks that stay reachable; all of them when neither list is given', ['0.0.0.0/0']),
    allow_namespaces: namespaceList('namespaces whose pods stay reachable'),
  }),
  example: `- action: Deny the address
  actionner: cilium:networkpolicy
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
    uses: ['pods.workload', 'cilium.deny'],
    deadline: 60,
    writes: () => ['owner'],
    async run({ event, parameters: { allow_cidr: cidrs, allow_namespaces: namespaces }, targets, use }) {
      const { name: pod, namespace } = podOf(targets);
      const workload = await use['pods.workload'](podOf(targets));
      if (!workload) {
        const error = `can't find the owner and/or labels for the pod '${pod}' in the namespace '${namespace}'`;
        throw new DoorError('refused', error, { objects: { pod, namespace } });
      }
      const ip = remoteIp(event) ?? '';
      const { name, change } = await use['cilium.deny'](workload, ip, { cidrs, namespaces });
      const output = `the ciliumnetworkpolicy '${name}' in the namespace '${namespace}' has been ${change}`;
      const policy = change === 'updated' && { NetworkPolicy: name };
      return { status: 'success', output, objects: { pod, namespace, ...policy } };
    },
  },
});

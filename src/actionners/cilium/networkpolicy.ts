import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { cidrList, textList } from '../../model/parameters.ts';

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
    allow_namespaces: textList('namespaces whose pods stay reachable'),
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
});

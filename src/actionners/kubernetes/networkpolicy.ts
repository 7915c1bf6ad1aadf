import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { cidrList, textList } from '../../model/parameters.ts';

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
    allow_namespaces: textList('namespaces whose pods stay reachable'),
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
});

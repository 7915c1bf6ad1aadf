import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { flag, healthThreshold, integer, textList } from '../../model/parameters.ts';

/** Evicts the pods of the node that the alert's pod runs on. */
export const drain = defineActionner({
  id: 'kubernetes:drain',
  description: 'Evict the pods of the node that the pod runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    ignore_daemonsets: flag('leave pods of DaemonSets alone'),
    ignore_errors: flag('report success whatever could not be evicted', { aliases: ['ignore_error'] }),
    ignore_statefulsets: flag('leave pods of StatefulSets alone'),
    max_wait_period: integer('seconds to wait for evicted pods to be gone; 0 does not wait'),
    min_healthy_replicas: healthThreshold(
      'leave a pod of a ReplicaSet alone when fewer replicas are ready: a number, or a percentage of the wanted ones',
    ),
    wait_period_excluded_namespaces: textList('namespaces whose pods are evicted, but not waited for'),
  }),
  example: `- action: Drain the node
  actionner: kubernetes:drain
  parameters:
    ignore_daemonsets: true
    max_wait_period: 60
`,
});

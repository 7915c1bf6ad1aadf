import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';

/** Marks the node of the pod as unschedulable. */
export const cordon = defineActionner({
  id: 'kubernetes:cordon',
  description: 'Keep new pods from the node that the pod runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({}),
  example: `- action: Cordon the node
  actionner: kubernetes:cordon
`,
});

import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
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
  behaviour: {
    idempotent: true,
    uses: ['nodes.ofPod', 'nodes.cordon'],
    deadline: 60,
    writes: () => ['node'],
    async run({ targets, use }) {
      const node = await use['nodes.ofPod'](podOf(targets));
      await use['nodes.cordon'](node);
      return {
        status: 'success',
        output: `the node '${node.name}' has been cordoned`,
        objects: { node: node.name },
      };
    },
  },
});

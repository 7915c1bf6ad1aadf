import * as z from 'zod';
import { defineActionner, podOf } from '../../src/model/definition.ts';
import { FIELD_KEYS } from '../../src/model/event-fields.ts';

/** Sets a label as if doing it twice did harm: the smallest actionner that is not idempotent. */
export const stamp = defineActionner({
  id: 'kubernetes:stamp',
  description: 'Label the pod once and never twice',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({}),
  example: `- action: Stamp
  actionner: kubernetes:stamp
`,
  behaviour: {
    idempotent: false,
    uses: ['pods.label'],
    deadline: 60,
    writes: () => ['pod'],
    async run({ targets, use }) {
      const pod = podOf(targets);
      await use['pods.label'](pod, { stamped: 'true' });
      return { status: 'success', output: 'stamped', objects: { pod: pod.name, namespace: pod.namespace } };
    },
  },
});

import * as z from 'zod';
import { defineActionner, podOf } from '../../src/model/definition.ts';
import { FIELD_KEYS } from '../../src/model/event-fields.ts';

/** Opens one door, which changes nothing, and is done: what remains is the cost of a step itself. */
export const noop = defineActionner({
  id: 'test:noop',
  description: 'Look at the pod, for tests',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({}),
  example: `- action: Look
  actionner: test:noop
`,
  behaviour: {
    idempotent: true,
    uses: ['pods.owner'],
    deadline: 60,
    writes: () => [],
    async run({ targets, use }) {
      const pod = podOf(targets);
      const owner = await use['pods.owner'](pod);
      const { name, namespace } = pod;
      const output = `the pod '${name}' is owned by ${owner ? owner.kind : 'nobody'}`;
      return { status: 'success', output, objects: { pod: name, namespace } };
    },
  },
});

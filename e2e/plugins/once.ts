import * as z from 'zod';
import { defineActionner, podOf } from '../../src/model/definition.ts';
import { FIELD_KEYS } from '../../src/model/event-fields.ts';
import { integer, textMap } from '../../src/model/parameters.ts';

/** Makes one effect that must not be made twice: what becomes of it when the server ends in the middle. */
export const once = defineActionner({
  id: 'test:once',
  description: 'Label the pod and claim that this must happen once, for tests',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    labels: textMap('labels to set', 'label'),
    linger: integer('seconds between the effect and the end of the action'),
  }),
  example: `- action: Label once
  actionner: test:once
  parameters:
    labels: { once: "true" }
    linger: 1
`,
  behaviour: {
    idempotent: false,
    uses: ['pods.label'],
    deadline: 60,
    lasts: ({ linger }) => linger,
    writes: () => ['pod'],
    async run({ parameters: { labels, linger }, targets, use, sleep }) {
      const pod = podOf(targets);
      await use['pods.label'](pod, labels);
      await sleep(linger * 1000);
      const { name, namespace } = pod;
      return {
        status: 'success',
        output: `the pod '${name}' has been labeled once`,
        objects: { pod: name, namespace },
      };
    },
  },
});

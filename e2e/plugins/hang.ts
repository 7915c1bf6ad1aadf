import * as z from 'zod';
import { defineActionner } from '../../src/model/definition.ts';
import { FIELD_KEYS } from '../../src/model/event-fields.ts';

/** Never ends by itself: what it costs others, and what its deadline does. */
export const hang = defineActionner({
  id: 'test:hang',
  description: 'Wait for ever, for tests',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({}),
  example: `- action: Hang
  actionner: test:hang
`,
  behaviour: {
    idempotent: true,
    uses: [],
    deadline: 60,
    writes: () => ['pod'],
    // A promise that nothing can settle would be noticed at once.
    async run({ sleep }) {
      for (;;) await sleep(60_000);
    },
  },
});

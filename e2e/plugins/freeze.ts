import * as z from 'zod';
import { defineActionner } from '../../src/model/definition.ts';

/** A hostile neighbour: its loop of slow built-in functions holds the whole thread and hardly ever lets itself be interrupted. */
export const freeze = defineActionner({
  id: 'test:freeze',
  description: 'Freeze the thread in which all plug-ins run',
  sources: ['syscalls'],
  continue: false,
  usesContext: false,
  artifact: 'none',
  requires: [],
  parameters: z.object({}),
  example: `- action: Freeze
  actionner: test:freeze
`,
  behaviour: {
    idempotent: true,
    uses: [],
    deadline: 60,
    writes: () => [],
    async run() {
      const list = new Array<number>(200_000).fill(1);
      for (;;) list.indexOf(2);
    },
  },
});

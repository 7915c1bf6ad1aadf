import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { integer } from '../../model/parameters.ts';

/** Fetches the last lines that a container of the pod logged. */
export const log = defineActionner({
  id: 'kubernetes:log',
  description: 'Fetch the last log lines of the pod',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  usesContext: false,
  artifact: 'optional',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    tail_lines: integer('how many lines to fetch from the end', { min: 0, fallback: 20 }),
  }),
  example: `- action: Keep the logs of the pod
  actionner: kubernetes:log
  parameters:
    tail_lines: 200
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: logs
`,
});

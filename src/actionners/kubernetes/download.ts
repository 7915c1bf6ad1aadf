import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { requiredText } from '../../model/parameters.ts';

/** Copies a file out of a container of the pod. */
export const download = defineActionner({
  id: 'kubernetes:download',
  description: 'Copy a file out of the pod',
  sources: ['syscalls'],
  continue: true,
  usesContext: true,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    file: requiredText('absolute path in the container; may use the fields of the alert, such as $FD_NAME'),
  }),
  example: `- action: Keep the file
  actionner: kubernetes:download
  parameters:
    file: \${FD_NAME}
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: files
`,
});

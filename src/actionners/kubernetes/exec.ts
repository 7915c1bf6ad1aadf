import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { requiredText, text } from '../../model/parameters.ts';

/** Runs a shell command in a container of the pod. */
export const exec = defineActionner({
  id: 'kubernetes:exec',
  description: 'Run a shell command in a container of the pod',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  destructive: true,
  usesContext: true,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    command: requiredText('command line for the shell; may use the fields of the alert, such as $FD_NAME'),
    shell: text('shell of the container', { fallback: '/bin/sh' }),
  }),
  example: `- action: Show the file
  actionner: kubernetes:exec
  parameters:
    shell: /bin/bash
    command: cat "\${FD_NAME}"
`,
});

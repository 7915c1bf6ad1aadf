import * as z from 'zod';
import { defineActionner } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { text } from '../../model/parameters.ts';

const parameters = z
  .object({
    file: text('path of a file with the script; its content becomes part of the bundle', { embeds: 'text' }),
    script: text('the script; may use the fields of the alert, such as $FD_NAME'),
    shell: text('shell of the container', { fallback: '/bin/sh' }),
  })
  .superRefine(({ file, script }, context) => {
    const message =
      file !== '' && script !== ''
        ? `'script' and 'file' parameters can't be set at the same time`
        : `missing parameter 'script' or 'file'`;
    if ((file === '') === (script === '')) context.addIssue({ code: 'custom', message });
  });

/** Runs a script in a container of the pod. */
export const script = defineActionner({
  id: 'kubernetes:script',
  description: 'Run a script in a container of the pod',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  destructive: true,
  usesContext: true,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters,
  example: `- action: Look around in the pod
  actionner: kubernetes:script
  parameters:
    shell: /bin/bash
    script: |
      ps awxuf
      netstat -lpaunt
      cat "\${FD_NAME}"
`,
});

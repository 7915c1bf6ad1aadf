import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { text } from '../../model/parameters.ts';
import { inFirstContainer } from './first-container.ts';
import { scriptProgram } from './shell-program.ts';
import { outputText } from './terminal-text.ts';

const parameters = z
  .object({
    file: text('path of a file with the script; its content becomes part of the bundle', {
      embeds: 'text',
      expands: 'program',
    }),
    script: text('the script; may use the fields of the alert, such as $FD_NAME', { expands: 'program' }),
    shell: text('shell of the container', { fallback: '/bin/sh' }),
  })
  .superRefine(({ file, script }, context) => {
    const message =
      file !== '' && script !== ''
        ? `'script' and 'file' parameters can't be set at the same time`
        : `missing parameter 'script' or 'file'`;
    if ((file === '') === (script === '')) context.addIssue({ code: 'custom', message });
  });

/** Runs a script in the first container of the pod where it works. No file is left there. */
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
  behaviour: {
    idempotent: false,
    uses: ['pods.containers', 'pods.exec'],
    deadline: 120,
    writes: () => ['pod'],
    async run({ parameters: { file, script: written, shell }, targets, seconds, use }) {
      const pod = podOf(targets);
      const objects = { pod: pod.name, namespace: pod.namespace };
      // Of the two one is empty; in the place of the path there is the content.
      const { program, stdin } = scriptProgram(shell, file || written, seconds);
      const containers = await use['pods.containers'](pod);
      const { stdout, truncated } = await inFirstContainer(containers, objects, (container) =>
        use['pods.exec'](container, program, stdin),
      );
      return { status: 'success', output: outputText(stdout, truncated), objects };
    },
  },
});

import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { requiredText, text } from '../../model/parameters.ts';
import { inFirstContainer } from './first-container.ts';
import { commandProgram } from './shell-program.ts';
import { outputText } from './terminal-text.ts';

/** Runs a shell command in the first container of the pod where it works. */
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
    command: requiredText('command line for the shell; may use the fields of the alert, such as $FD_NAME', {
      expands: 'program',
    }),
    shell: text('shell of the container', { fallback: '/bin/sh' }),
  }),
  example: `- action: Show the file
  actionner: kubernetes:exec
  parameters:
    shell: /bin/bash
    command: cat "\${FD_NAME}"
`,
  behaviour: {
    idempotent: false,
    uses: ['pods.containers', 'pods.exec'],
    deadline: 60,
    writes: () => ['pod'],
    async run({ parameters: { command, shell }, targets, seconds, use }) {
      const pod = podOf(targets);
      const objects = { pod: pod.name, namespace: pod.namespace };
      const { program, stdin } = commandProgram(shell, command, seconds);
      const containers = await use['pods.containers'](pod);
      const { stdout, truncated } = await inFirstContainer(containers, objects, (container) =>
        use['pods.exec'](container, program, stdin),
      );
      return { status: 'success', output: outputText(stdout, truncated), objects };
    },
  },
});

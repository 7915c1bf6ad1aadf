import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { requiredText } from '../../model/parameters.ts';

/** Keeps artifacts in a folder of the machine that Talon runs on. */
export const file = defineOutput({
  id: 'local:file',
  description: 'Store the artifact in a local folder',
  parameters: z.object({
    destination: requiredText('an existing folder; may use the fields of the alert, such as $K8S_NS_NAME'),
  }),
  example: `- action: Keep the logs of the pod
  actionner: kubernetes:log
  parameters:
    tail_lines: 200
  output:
    target: local:file
    parameters:
      destination: /var/log/falco-talon
`,
});

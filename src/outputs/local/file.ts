import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { requiredText } from '../../model/parameters.ts';

/** Keeps artifacts in a folder of the machine that Talon runs on. */
export const file = defineOutput({
  id: 'local:file',
  description: 'Store the artifact in a local folder',
  parameters: z.object({
    destination: requiredText('an existing folder; may use the fields of the alert, such as $K8S_NS_NAME', {
      expands: 'folder',
    }),
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
  behaviour: {
    uses: ['files.put'],
    deadline: 300,
    reach: ({ destination }) => ({ store: { category: 'local', name: destination, prefix: '', region: '' } }),
    async store({ artifact, store, key, use }) {
      const path = await use['files.put'](store, artifact, key);
      const name = artifact.name.slice(artifact.name.lastIndexOf('/') + 1);
      const output = `the file '${name}' has been copied to '${path}'`;
      return { status: 'success', output, objects: { file: artifact.name, destination: store.name } };
    },
  },
});

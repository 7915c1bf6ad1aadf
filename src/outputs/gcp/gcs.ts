import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { keyPrefix } from '../../model/key-prefix.ts';
import { requiredText, text } from '../../model/parameters.ts';

/** Keeps artifacts in a bucket of Google Cloud Storage. */
export const gcs = defineOutput({
  id: 'gcp:gcs',
  description: 'Store the artifact in a bucket of Google Cloud Storage',
  parameters: z.object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
  }),
  example: `- action: Keep the logs of the pod
  actionner: kubernetes:log
  output:
    target: gcp:gcs
    parameters:
      bucket: falco-talon
      prefix: logs
`,
  behaviour: {
    uses: ['gcs.put'],
    deadline: 600,
    reach: ({ bucket, prefix }) => ({
      store: { category: 'gcp', name: bucket, prefix: keyPrefix(prefix), region: '' },
    }),
    async store({ artifact, store, key, facts, use }) {
      await use['gcs.put'](store, artifact, key, facts);
      const output = `The file '${artifact.name}' has been uploaded as the key '${store.prefix}${key}' to the bucket '${store.name}'`;
      return {
        status: 'success',
        output,
        objects: { file: artifact.name, bucket: store.name, prefix: store.prefix, key },
      };
    },
  },
});

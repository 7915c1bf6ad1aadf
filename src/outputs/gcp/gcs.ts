import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { keyPrefix } from '../../model/key-prefix.ts';
import { flag, requiredText, text } from '../../model/parameters.ts';
import { uploaded } from '../uploaded.ts';

/** Keeps artifacts in a bucket of Google Cloud Storage. */
export const gcs = defineOutput({
  id: 'gcp:gcs',
  description: 'Store the artifact in a bucket of Google Cloud Storage',
  parameters: z.object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
    keep_existing: flag('leave an object that has the key already as it is, and fail'),
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
    reach: ({ bucket, prefix, keep_existing }) => ({
      store: {
        ...{ category: 'gcp', name: bucket, prefix: keyPrefix(prefix), region: '' },
        ...(keep_existing && { keepsExisting: true }),
      },
    }),
    extraRights: [
      {
        // To tell the artifact of an earlier try from another one.
        grant: { cloud: 'gcp', permission: 'storage.objects.get' },
        wantedBy: '`keep_existing`',
        isWanted: ({ keep_existing }) => keep_existing,
      },
    ],
    async store({ artifact, store, key, facts, use }) {
      await use['gcs.put'](store, artifact, key, facts);
      const { output, ...end } = uploaded(artifact, store, key);
      // With a capital there, as Falco Talon has it.
      return { ...end, output: `T${output.slice(1)}` };
    },
  },
});

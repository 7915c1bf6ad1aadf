import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { keyPrefix } from '../../model/key-prefix.ts';
import { flag, requiredText, text } from '../../model/parameters.ts';
import { uploaded } from '../uploaded.ts';

/** Keeps artifacts in a bucket of MinIO. */
export const s3 = defineOutput({
  id: 'minio:s3',
  description: 'Store the artifact in a bucket of MinIO',
  parameters: z.object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
    keep_existing: flag('leave an object that has the key already as it is, and fail'),
  }),
  example: `- action: Keep the file
  actionner: kubernetes:download
  parameters:
    file: /etc/passwd
  output:
    target: minio:s3
    parameters:
      bucket: falco-talon
      prefix: files
`,
  behaviour: {
    uses: ['minio.put'],
    deadline: 600,
    reach: ({ bucket, prefix, keep_existing }) => ({
      store: {
        ...{ category: 'minio', name: bucket, prefix: keyPrefix(prefix), region: '' },
        ...(keep_existing && { keepsExisting: true }),
      },
    }),
    async store({ artifact, store, key, facts, use }) {
      await use['minio.put'](store, artifact, key, facts);
      return uploaded(artifact, store, key);
    },
  },
});

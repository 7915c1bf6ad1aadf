import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { requiredText, text } from '../../model/parameters.ts';

/** Keeps artifacts in a bucket of MinIO. */
export const s3 = defineOutput({
  id: 'minio:s3',
  description: 'Store the artifact in a bucket of MinIO',
  parameters: z.object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
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
});

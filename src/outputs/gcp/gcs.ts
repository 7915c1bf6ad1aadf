import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
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
});

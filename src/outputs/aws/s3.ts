import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { keyPrefix } from '../../model/key-prefix.ts';
import { requiredText, text } from '../../model/parameters.ts';
import { uploaded } from '../uploaded.ts';

/** Keeps artifacts in a bucket of AWS S3. */
export const s3 = defineOutput({
  id: 'aws:s3',
  description: 'Store the artifact in a bucket of AWS S3',
  parameters: z.object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
    region: text('region of the bucket, if it is not the one of the AWS settings'),
  }),
  example: `- action: Capture the packets
  actionner: kubernetes:tcpdump
  parameters:
    duration: 10
  output:
    target: aws:s3
    parameters:
      bucket: falco-talon
      prefix: captures
      region: eu-west-1
`,
  behaviour: {
    uses: ['s3.put'],
    deadline: 600,
    reach: ({ bucket, prefix, region }) => ({
      store: { category: 'aws', name: bucket, prefix: keyPrefix(prefix), region },
    }),
    async store({ artifact, store, key, facts, use }) {
      await use['s3.put'](store, artifact, key, facts);
      return uploaded(artifact, store, key);
    },
  },
});

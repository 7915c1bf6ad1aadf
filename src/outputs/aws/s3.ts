import * as z from 'zod';
import { defineOutput } from '../../model/definition.ts';
import { keyPrefix } from '../../model/key-prefix.ts';
import { flag, integer, oneOf, requiredText, text } from '../../model/parameters.ts';
import { uploaded } from '../uploaded.ts';

const parameters = z
  .object({
    bucket: requiredText('an existing bucket'),
    prefix: text('folder of the bucket'),
    region: text('region of the bucket, if it is not the one of the AWS settings'),
    keep_existing: flag('leave an object that has the key already as it is, and fail'),
    encryption: oneOf('how the object is encrypted', ['default', 'AES256', 'aws:kms'], 'default'),
    kms_key_id: text('key for `aws:kms`, if not the one of the bucket'),
    lock_mode: oneOf('how the object is locked', ['none', 'GOVERNANCE', 'COMPLIANCE'], 'none'),
    lock_days: integer('days for which it is locked', { min: 0, max: 36_500 }),
  })
  .superRefine(({ encryption, kms_key_id, lock_mode, lock_days }, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    if (kms_key_id !== '' && encryption !== 'aws:kms') wrong("'kms_key_id' needs 'encryption: aws:kms'");
    if ((lock_mode === 'none') !== (lock_days === 0)) wrong("'lock_mode' and 'lock_days' go together");
  });

const allowed = (permission: string) => ({ cloud: 'aws', permission }) as const;

/** Keeps artifacts in a bucket of AWS S3. */
export const s3 = defineOutput({
  id: 'aws:s3',
  description: 'Store the artifact in a bucket of AWS S3',
  parameters,
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
    reach: ({
      bucket,
      prefix,
      region,
      keep_existing,
      encryption,
      kms_key_id: key,
      lock_mode: mode,
      lock_days: days,
    }) => ({
      store: {
        ...{ category: 'aws', name: bucket, prefix: keyPrefix(prefix), region },
        ...(keep_existing && { keepsExisting: true }),
        ...(encryption !== 'default' && { encryption: { kind: encryption, key } }),
        ...(mode !== 'none' && { lock: { mode, days } }),
      },
    }),
    extraRights: [
      {
        // To tell the artifact of an earlier try from another one.
        ...{ grant: allowed('s3:GetObject'), wantedBy: '`keep_existing`' },
        isWanted: ({ keep_existing }) => keep_existing,
      },
      {
        ...{ grant: allowed('s3:PutObjectRetention'), wantedBy: '`lock_mode`' },
        isWanted: ({ lock_mode }) => lock_mode !== 'none',
      },
      {
        ...{ grant: allowed('kms:GenerateDataKey'), wantedBy: '`encryption: aws:kms`' },
        isWanted: ({ encryption }) => encryption === 'aws:kms',
      },
    ],
    async store({ artifact, store, key, facts, use }) {
      await use['s3.put'](store, artifact, key, facts);
      return uploaded(artifact, store, key);
    },
  },
});

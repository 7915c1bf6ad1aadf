import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../model/decode-parameters.ts';
import { DoorError } from '../model/door-error.ts';
import type { ArtifactRef, StoreRef } from '../model/references.ts';
import type { ParameterMap } from '../model/rule.ts';
import { s3 as aws } from './aws/s3.ts';
import { gcs } from './gcp/gcs.ts';
import { s3 as minio } from './minio/s3.ts';

const ARTIFACT: ArtifactRef = {
  ...{ kind: 'artifact', ref: 0, name: '/etc/passwd', size: 3, sha256: 'aa', mediaType: 'application/octet-stream' },
};
const KEY = '2024-09-05T14-52-10Z_shop_web__etc_passwd';

type Bucket = typeof aws | typeof gcs | typeof minio;

function decode({ parameters }: Bucket, given: ParameterMap) {
  const decoded = decodeParameters(parameters, given);
  if (!decoded.ok) throw new Error(decoded.problems[0]?.message);
  return decoded.value;
}

/** Stores an artifact through a door that notes its calls, or fails. */
async function store(output: Bucket, given: ParameterMap, failure?: DoorError) {
  const calls: unknown[][] = [];
  const parameters = decode(output, given) as never;
  const { store: address } = output.behaviour.reach(parameters);
  const ref: StoreRef = { kind: 'store', ref: 1, name: address.name, prefix: address.prefix, region: address.region };
  const put = async (...call: unknown[]) => {
    calls.push(call);
    if (failure) throw failure;
  };
  const result = await output.behaviour.store({
    ...{ parameters, artifact: ARTIFACT, store: ref, key: KEY, facts: { rule: 'r' } },
    use: { 's3.put': put, 'minio.put': put, 'gcs.put': put },
    sleep: async () => {},
  });
  return { address, ref, calls, result };
}

describe.each([
  ['aws:s3', aws, 'aws', 'the file'],
  ['minio:s3', minio, 'minio', 'the file'],
  ['gcp:gcs', gcs, 'gcp', 'The file'],
] as const)('%s', (_, output, category, words) => {
  it.each([
    ['captures', 'captures/'],
    ['/captures/', 'captures/'],
    ['', ''],
    ['/', ''],
  ])('puts the artifact into the bucket, under the prefix %j', async (given, prefix) => {
    const { address, ref, calls, result } = await store(output, { bucket: 'forensics', prefix: given });
    expect(address).toEqual({ category, name: 'forensics', prefix, region: '' });
    expect(calls).toEqual([[ref, ARTIFACT, KEY, { rule: 'r' }]]);
    expect(result).toEqual({
      status: 'success',
      output: `${words} '/etc/passwd' has been uploaded as the key '${prefix}${KEY}' to the bucket 'forensics'`,
      objects: { file: '/etc/passwd', bucket: 'forensics', prefix, key: KEY },
    });
  });

  it('fails as the door does', async () => {
    const failure = new DoorError('busy', 'SlowDown');
    await expect(store(output, { bucket: 'forensics' }, failure)).rejects.toBe(failure);
  });

  it.each([{}, { bucket: '' }, { bucket: null }])('refuses the parameters %j', (given) => {
    expect(() => decode(output, given)).toThrow("missing parameter 'bucket'");
  });
});

describe('aws:s3', () => {
  it('takes the region of the rule, and tells it', async () => {
    const { address, result } = await store(aws, { bucket: 'forensics', region: 'eu-west-1' });
    expect(address.region).toBe('eu-west-1');
    expect(result.objects).toMatchObject({ region: 'eu-west-1' });
  });
});

it('lets rules keep objects that are there, and has S3 encrypt and lock them', () => {
  const reach = (output: Bucket, given: ParameterMap) =>
    output.behaviour.reach(decode(output, { bucket: 'b', ...given }) as never).store;
  for (const output of [aws, gcs, minio]) {
    expect(reach(output, { keep_existing: true })).toMatchObject({ keepsExisting: true });
    expect(reach(output, { keep_existing: false })).not.toHaveProperty('keepsExisting');
  }
  expect(reach(aws, { encryption: 'aws:kms', kms_key_id: 'k', lock_mode: 'GOVERNANCE', lock_days: 7 })).toMatchObject({
    encryption: { kind: 'aws:kms', key: 'k' },
    lock: { mode: 'GOVERNANCE', days: 7 },
  });
});

it.each([
  [{ kms_key_id: 'k' }, "'kms_key_id' needs 'encryption: aws:kms'"],
  [{ lock_days: 3 }, "'lock_mode' and 'lock_days' go together"],
  [{ lock_mode: 'COMPLIANCE' }, "'lock_mode' and 'lock_days' go together"],
])('refuses %j', (given, message) => {
  expect(() => decode(aws, { bucket: 'b', ...given })).toThrow(message);
});

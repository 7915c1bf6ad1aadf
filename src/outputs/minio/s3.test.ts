import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../../model/decode-parameters.ts';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactRef, StoreRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { s3 } from './s3.ts';

const ARTIFACT: ArtifactRef = {
  ...{ kind: 'artifact', ref: 0, name: '/etc/passwd', size: 3, sha256: 'aa', mediaType: 'application/octet-stream' },
};
const KEY = '2024-09-05T14-52-10Z_shop_web__etc_passwd';

function decode(given: ParameterMap) {
  const decoded = decodeParameters(s3.parameters, given);
  if (!decoded.ok) throw new Error(decoded.problems[0]?.message);
  return decoded.value;
}

/** Stores an artifact through a door that notes its calls, or fails. */
async function store(given: ParameterMap, failure?: DoorError) {
  const calls: unknown[][] = [];
  const address = s3.behaviour?.reach(decode(given)).store;
  if (!address) throw new Error('it leads to no store');
  const ref: StoreRef = { kind: 'store', ref: 1, name: address.name, prefix: address.prefix, region: address.region };
  const result = await s3.behaviour?.store({
    ...{ parameters: decode(given), artifact: ARTIFACT, store: ref, key: KEY, facts: { rule: 'r' } },
    use: {
      'minio.put': async (...call) => {
        calls.push(call);
        if (failure) throw failure;
      },
    },
    sleep: async () => {},
  });
  return { address, ref, calls, result };
}

describe('minio:s3', () => {
  it.each([
    ['captures', 'captures/'],
    ['/captures/', 'captures/'],
    ['', ''],
    ['/', ''],
  ])('puts the artifact into the bucket, under the prefix %j', async (given, prefix) => {
    const { address, ref, calls, result } = await store({ bucket: 'forensics', prefix: given });
    expect(address).toEqual({ category: 'minio', name: 'forensics', prefix, region: '' });
    expect(calls).toEqual([[ref, ARTIFACT, KEY, { rule: 'r' }]]);
    expect(result).toEqual({
      status: 'success',
      output: `the file '/etc/passwd' has been uploaded as the key '${prefix}${KEY}' to the bucket 'forensics'`,
      objects: { file: '/etc/passwd', bucket: 'forensics', prefix, key: KEY },
    });
  });

  it('fails as the door does', async () => {
    const failure = new DoorError('busy', 'SlowDown');
    await expect(store({ bucket: 'forensics' }, failure)).rejects.toBe(failure);
  });

  it.each([{}, { bucket: '' }, { bucket: null }])('refuses the parameters %j', (given) => {
    expect(() => decode(given)).toThrow("missing parameter 'bucket'");
  });
});

import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../../model/decode-parameters.ts';
import { DoorError } from '../../model/door-error.ts';
import { parameterFacts } from '../../model/parameters.ts';
import type { ArtifactRef, StoreRef } from '../../model/references.ts';
import { file } from './file.ts';

const KEY = '2024-09-05T14-52-10Z_shop_web__etc_passwd';
const artifact = (name: string): ArtifactRef => ({
  ...{ kind: 'artifact', ref: 0, name, size: 3, sha256: 'aa', mediaType: 'application/octet-stream' },
});

async function store(destination: string, name: string, failure?: DoorError) {
  const decoded = decodeParameters(file.parameters, { destination });
  if (!decoded.ok) throw new Error(decoded.problems[0]?.message);
  const address = file.behaviour?.reach(decoded.value).store;
  if (!address) throw new Error('it leads to no store');
  const ref: StoreRef = { kind: 'store', ref: 1, name: address.name, prefix: address.prefix, region: address.region };
  const result = await file.behaviour?.store({
    ...{ parameters: decoded.value, artifact: artifact(name), store: ref, key: KEY, facts: {} },
    use: {
      'files.put': async (to, _, key) => {
        if (failure) throw failure;
        return `${to.name}/${key}`;
      },
    },
    sleep: async () => {},
  });
  return { address, result };
}

describe('local:file', () => {
  it.each([
    ['/etc/passwd', 'passwd'],
    ['tcpdump.pcap', 'tcpdump.pcap'],
    ['log', 'log'],
  ])('writes %s into the folder', async (name, last) => {
    const { address, result } = await store('/var/captures', name);
    expect(address).toEqual({ category: 'local', name: '/var/captures', prefix: '', region: '' });
    expect(result).toEqual({
      status: 'success',
      output: `the file '${last}' has been copied to '/var/captures/${KEY}'`,
      objects: { file: name, destination: '/var/captures' },
    });
  });

  it('takes the fields of the alert as names of folders', () => {
    expect(parameterFacts(file.parameters.shape.destination).expands).toBe('folder');
  });

  it('fails as the door does', async () => {
    const failure = new DoorError('refused', "folder '/x' does not exist");
    await expect(store('/x', 'log', failure)).rejects.toBe(failure);
  });

  it('needs a folder', async () => {
    await expect(store('', 'log')).rejects.toThrow("missing parameter 'destination'");
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactKey } from './artifact-key.ts';

const AT = Date.UTC(2024, 8, 5, 14, 52, 10, 999);
const TIME = '2024-09-05T14-52-10Z';

describe('artifactKey', () => {
  it.each<[Record<string, string>, string, string]>([
    [{ namespace: 'default', pod: 'web-5d9c' }, 'tcpdump.pcap', 'default_web-5d9c_tcpdump.pcap'],
    [{ namespace: 'default', pod: 'web-5d9c', file: '/etc/passwd' }, '/etc/passwd', 'default_web-5d9c__etc_passwd'],
    [{ namespace: 'default', pod: 'web', job: 'j' }, 'sysdig.scap.gz', 'default_web_sysdig.scap.gz'],
    [{ hostname: 'node-1', file: 'f' }, 'log', 'node-1_log'],
    [{ hostname: 'node-1', namespace: 'default' }, 'log', 'node-1_log'],
    [{ namespace: '', pod: '', hostname: '', job: 'j' }, 'log', '_j___log'],
    [{ zone: 'z', file: 'f', area: 'a' }, 'log', 'a_z_log'],
    [{}, 'log', 'log'],
  ])('makes of %j and %j what Falco Talon makes', (objects, name, key) => {
    expect(artifactKey(AT, objects, name)).toBe(`${TIME}_${key}`);
    expect(artifactKey(new Date(AT), objects, name)).toBe(`${TIME}_${key}`);
  });

  it.each(['../../etc/passwd', '..', 'a\\..\\b', 'a\0b', 'a?b#c%2f', 'a\nb', 'émoji 😀', '$(id)', '\u202e'])(
    'leaves nothing in %j that means something to a file system or a URL',
    (name) => {
      const key = artifactKey(AT, { namespace: name, pod: name }, name);
      expect(key).toMatch(/^2024-09-05T14-52-10Z_[A-Za-z0-9._-]+$/);
    },
  );

  it('cuts what is too long, keeps its kind, and does not take two for one', () => {
    const pod = 'p'.repeat(250);
    const one = artifactKey(AT, { namespace: 'n'.repeat(63), pod: `${pod}-a` }, 'tcpdump.pcap');
    const other = artifactKey(AT, { namespace: 'n'.repeat(63), pod: `${pod}-b` }, 'tcpdump.pcap');
    expect(one).toHaveLength(255);
    expect(one).toMatch(/_[0-9a-f]{12}_tcpdump\.pcap$/);
    expect(one).not.toBe(other);
    expect(artifactKey(AT, {}, 'x'.repeat(1_000_000))).toHaveLength(255);
  });

  it('is always one safe name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.string({ unit: 'binary' }), (objects, name) => {
        expect(artifactKey(AT, objects, name)).toMatch(/^[A-Za-z0-9._-]{1,255}$/);
      }),
    );
  });
});

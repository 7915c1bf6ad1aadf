import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtectedAddresses } from './protected-addresses.ts';

const SERVER = 'https://192.0.2.1:6443';
const addresses = new ProtectedAddresses(['10.96.0.0/12', 'fd00:96::/64', '198.51.100.9/24']);
const networkOf = (ip: string, server = SERVER) => addresses.networkOf(ip, server);

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['10.95.255.255', '10.95.255.255/32'],
    ['2001:DB8::0:1', '2001:db8::1/128'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::FFFF:cb00:7107', '203.0.113.7/32'],
    ['fd00:97::1', 'fd00:97::1/128'],
  ])('%s is %s', async (ip, network) => {
    expect(await networkOf(ip)).toBe(network);
  });

  it.each([
    ['127.255.0.1', 'a loopback address'],
    ['::1', 'a loopback address'],
    ['0:0:0:0:0:0:0:1', 'a loopback address'],
    ['::ffff:127.0.0.1', 'a loopback address'],
    ['0.0.0.0', 'no address of a host'],
    ['::', 'no address of a host'],
    ['169.254.169.254', 'a link-local address'],
    ['FEBF::1', 'a link-local address'],
    ['10.96.0.10', 'among the protected networks'],
    ['10.111.255.255', 'among the protected networks'],
    ['fd00:96::a', 'among the protected networks'],
    ['198.51.100.200', 'among the protected networks'],
    ['192.0.2.1', 'an address of the API server'],
    ['::ffff:192.0.2.1', 'an address of the API server'],
  ])('%s is refused: %s', async (ip, reason) => {
    await expect(networkOf(ip)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(`^the address '[0-9a-f.:]+' is ${reason} and will not be denied$`),
    });
  });

  it.each([
    ['https://[2001:db8::6]:6443', '2001:DB8::6'],
    ['https://localhost:6443', '203.0.113.7'],
  ])('takes the server %s', async (server, ip) => {
    const network = networkOf(ip, server);
    if (server.includes('[')) await expect(network).rejects.toMatchObject({ code: 'refused' });
    else expect(await network).toBe('203.0.113.7/32');
  });

  it('is always the same for the same address', async () => {
    await fc.assert(
      fc.asyncProperty(fc.ipV6(), async (ip) => {
        const network = await networkOf(ip).catch(() => undefined);
        if (network === undefined) return;
        expect(await networkOf(network.replace(/\/\d+$/, ''))).toBe(network);
      }),
    );
  });
});

import { lookup } from 'node:dns/promises';
import { BlockList, isIP, SocketAddress } from 'node:net';
import { DoorError } from '../../../model/door-error.ts';
import { ipVersion } from '../../../model/ip-address.ts';

/** What no policy denies: without it a pod or its node does not work, and it is nobody's remote address. */
const ALWAYS = [
  ['a loopback address', ['127.0.0.0/8', '::1/128']],
  ['no address of a host', ['0.0.0.0/8', '::/128']],
  ['a link-local address', ['169.254.0.0/16', 'fe80::/10']],
] as const;

/**
 * Decides which addresses may be denied. They come from alerts, and whoever makes a pod connect chooses them: a policy must not
 * cut a workload off from what runs it.
 */
export class ProtectedAddresses {
  readonly #lists: readonly (readonly [reason: string, list: BlockList])[];

  /** @param cidrs what else is never denied: networks of nodes, services, name servers, in CIDR notation */
  constructor(cidrs: readonly string[] = []) {
    this.#lists = [
      ...ALWAYS.map(([reason, networks]) => [reason, blockList(networks)] as const),
      ['among the protected networks', blockList(cidrs)],
    ];
  }

  /**
   * The network of this address alone, in its one canonical spelling: `203.0.113.7/32`, `2001:db8::1/128`. An IPv4 address that is
   * written as an IPv6 one is itself again, since that is how its packets travel.
   *
   * @param server URL of the API server, whose addresses are protected, too
   * @throws DoorError of code `door` for what is no address, `refused` for a protected one
   */
  async networkOf(text: string, server: string): Promise<string> {
    const address = canonicalAddress(text);
    const version = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    const reason =
      this.#lists.find(([, list]) => list.check(address, version))?.[0] ??
      ((await addressesOf(server)).includes(address) ? 'an address of the API server' : undefined);
    if (reason !== undefined) {
      throw new DoorError('refused', `the address '${address}' is ${reason} and will not be denied`);
    }
    return `${address}/${version === 'ipv4' ? 32 : 128}`;
  }
}

function canonicalAddress(text: string): string {
  const version = ipVersion(text);
  if (version === undefined) throw new DoorError('door', 'malformed argument: an address');
  const { address } = new SocketAddress({ address: text, family: version === 4 ? 'ipv4' : 'ipv6' });
  return /^::ffff:([\d.]+)$/.exec(address)?.[1] ?? address;
}

/** None where the name can't be resolved: then the API server can't be reached either, and will say so. */
async function addressesOf(server: string): Promise<readonly string[]> {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  const found = isIP(host) ? [{ address: host }] : await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => canonicalAddress(address));
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/');
    list.addSubnet(address, Number(prefix), ipVersion(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DoorError } from '../../model/door-error.ts';
import { embeddedIpv4 } from './embedded-ipv4.ts';

/**
 * Addresses at which clouds hand out credentials to whatever runs on their machines, and the link-local ones, none of which is
 * an endpoint that anybody means.
 */
const METADATA = blockList([
  ['169.254.0.0', 16, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'],
  ['168.63.129.16', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::', 32, 'ipv6'],
  ['fd20:ce::254', 128, 'ipv6'],
]);

/** Names of the same services. A proxy that is asked for one would look it up by itself. */
const METADATA_NAME = /^(metadata\.google\.internal|metadata\.goog|instance-data\.ec2\.internal)\.?$/i;

const LOOPBACK = blockList([
  ['127.0.0.0', 8, 'ipv4'],
  ['0.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['::', 128, 'ipv6'],
]);

/** Which addresses may be connected to. */
export interface AddressRule {
  /** @throws DoorError of code `refused` for an address that may not; names of hosts pass, since `lookup` looks at them */
  readonly check: (host: string, port: number) => void;
  /** Looks names up for connections to a port, and refuses a name if any of its addresses is to be refused. */
  readonly lookup: (port: number) => LookupFunction;
}

/** How names are looked up: as `lookup` of `node:dns` does it. */
export type Resolve = (
  host: string,
  options: LookupOptions,
  found: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

const OF_METADATA = 'its address is that of a metadata service, or link-local';

/**
 * Keeps requests from metadata services and from the server's own ports, at which a rule could make the server send alerts to
 * itself. Names are checked at the moment of the connection, which is made to the very addresses that were checked, so that a name
 * that changes what it means gets no further.
 */
export function createAddressRule(ownPorts: readonly number[], resolve: Resolve = lookup): AddressRule {
  const refusal = (address: string, port: number) => {
    const [plain = ''] = address.split('%');
    if (isIP(plain) === 0) return 'its name leads to no address';
    const all = [plain, ...embeddedIpv4(plain)];
    if (all.some((each) => isIn(METADATA, each))) return OF_METADATA;
    if (ownPorts.includes(port) && all.some(isOwn)) return 'it is this very server';
    return undefined;
  };
  return {
    check: (host, port) => {
      const reason = isIP(host) ? refusal(host, port) : METADATA_NAME.test(host) ? OF_METADATA : undefined;
      if (reason !== undefined) throw refused(host, reason);
    },
    lookup: (port) => (host, options, found) => {
      resolve(host, options as LookupOptions, (error, address, family) => {
        const all: readonly string[] = Array.isArray(address) ? address.map((each) => each.address) : [address];
        const reason = error ? undefined : all.map((each) => refusal(each, port)).find(Boolean);
        found(reason === undefined ? error : refused(host, reason), address, family);
      });
    },
  };
}

/** Looks at the host of a URL as it is written. @throws DoorError of code `refused` */
export function checkUrl(rule: AddressRule, { hostname, port, protocol }: URL): void {
  rule.check(hostname.replace(/^\[|\]$/g, ''), Number(port) || (protocol === 'https:' ? 443 : 80));
}

function refused(host: string, reason: string): DoorError {
  return new DoorError('refused', `nothing is sent to '${host}': ${reason}`);
}

function isOwn(address: string): boolean {
  if (isIn(LOOPBACK, address)) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === address));
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function blockList(nets: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const net of nets) list.addSubnet(...net);
  return list;
}

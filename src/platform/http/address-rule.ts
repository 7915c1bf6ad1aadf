import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DoorError } from '../../model/door-error.ts';

/**
 * Addresses at which clouds hand out credentials to whatever runs on their machines, and the link-local ones, none of which is
 * an endpoint that anybody means. NAT64 and 6to4 lead to the same ones.
 */
const METADATA = blockList([
  ['169.254.0.0', 16, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'],
  ['168.63.129.16', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::', 32, 'ipv6'],
  ['fd20:ce::254', 128, 'ipv6'],
  ['64:ff9b::169.254.0.0', 112, 'ipv6'],
  ['64:ff9b::100.100.100.200', 128, 'ipv6'],
  ['64:ff9b::168.63.129.16', 128, 'ipv6'],
  ['64:ff9b::192.0.0.192', 128, 'ipv6'],
  ['2002:a9fe::', 32, 'ipv6'],
]);

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

/**
 * Keeps requests from metadata services and from the server's own ports, at which a rule could make the server send alerts to
 * itself. Names are checked at the moment of the connection, so that one that changes what it means gets no further.
 */
export function createAddressRule(ownPorts: readonly number[]): AddressRule {
  const refusal = (address: string, port: number) => {
    if (isIn(METADATA, address)) return 'its address is that of a metadata service, or link-local';
    if (ownPorts.includes(port) && isOwn(address)) return 'it is this very server';
    return undefined;
  };
  return {
    check: (host, port) => {
      const reason = isIP(host) ? refusal(host, port) : undefined;
      if (reason !== undefined) throw refused(host, reason);
    },
    lookup: (port) => (host, options, found) => {
      lookup(host, options as LookupOptions, (error, address, family) => {
        const all: readonly LookupAddress[] = Array.isArray(address) ? address : [{ address, family }];
        const reason = error ? undefined : all.map((each) => refusal(each.address, port)).find(Boolean);
        found(reason === undefined ? error : refused(host, reason), address, family);
      });
    },
  };
}

function refused(host: string, reason: string): DoorError {
  return new DoorError('refused', `nothing is sent to '${host}': ${reason}`);
}

function isOwn(address: string): boolean {
  if (isIn(LOOPBACK, address)) return true;
  const plain = address.replace(/^::ffff:/i, '');
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === plain));
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function blockList(nets: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const net of nets) list.addSubnet(...net);
  return list;
}

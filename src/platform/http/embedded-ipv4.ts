import { isIPv6 } from 'node:net';

/**
 * The IPv4 addresses to which hosts and gateways bring what is sent to an IPv6 address: mapped, compatible and translated ones, NAT64
 * (RFC 6052, and the last four bytes of RFC 8215), 6to4, ISATAP, Teredo. None for an IPv4 address.
 *
 * @param address without a zone
 */
export function embeddedIpv4(address: string): readonly string[] {
  if (!isIPv6(address)) return [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groupsOf(address);
  const head = [a, b, c, d, e, f].map((group) => group.toString(16)).join(':');
  const found: string[] = [];
  if (WITH_IPV4_AT_THE_END.test(head)) found.push(dotted(g, h));
  if (a === 0x2002) found.push(dotted(b, c));
  if (a === 0x2001 && b === 0) found.push(dotted(c, d), dotted(g ^ 0xffff, h ^ 0xffff));
  return found;
}

/** By the first six groups, without leading zeros. */
const WITH_IPV4_AT_THE_END = /^(0:0:0:0:0:(0|ffff)|0:0:0:0:ffff:0|64:ff9b:0:0:0:0|64:ff9b:1:.*|(\w+:){4}(0|200):5efe)$/;

function groupsOf(address: string): readonly number[] {
  // In a URL there are no dots in it any more.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return numbers(head);
  const [before, after] = [numbers(head), numbers(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

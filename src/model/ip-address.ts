/** A CIDR with its mask, IPv4 or IPv6, as Go's `net.ParseCIDR` reads it: `10.0.0.0/8`, `fd00::/8`. Host bits may be set. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const version = ipVersion(text.slice(0, slash));
  const mask = text.slice(slash + 1);
  return version !== undefined && /^\d{1,3}$/.test(mask) && Number(mask) <= (version === 4 ? 32 : 128);
}

/** 4 or 6 for an address without zone and mask, undefined for anything else. Octets have no leading zeros. */
export function ipVersion(text: string): 4 | 6 | undefined {
  if (isIpv4(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

function isIpv4(text: string): boolean {
  const octets = text.split('.');
  return octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1)?.at(-1) ?? '';
  const embedded = last.includes('.');
  if (embedded && !isIpv4(last)) return false;
  const all = groups.flat();
  const hexadecimal = embedded ? all.slice(0, -1) : all;
  if (!hexadecimal.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  const count = hexadecimal.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

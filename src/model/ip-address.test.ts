import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipVersion, isCidr } from './ip-address.ts';

describe('isCidr', () => {
  it.each([
    '10.0.0.0/8',
    '0.0.0.0/0',
    '192.168.1.77/24',
    '1.2.3.4/32',
    'fd00::/8',
    '::/0',
    '::1/128',
    '1:2:3:4:5:6:7:8/64',
    '::ffff:10.0.0.1/96',
  ])('accepts %s', (text) => expect(isCidr(text)).toBe(true));
  it.each([
    '',
    'x',
    '1.2.3.4',
    '300.0.0.0/8',
    '1.2.3/8',
    '1.2.3.4/33',
    '1.2.3.4/',
    '1.2.3.4/-1',
    '01.2.3.4/8',
    '1.2.3.4/8 ',
    'fd00::',
    'fd00::/129',
    ':::/8',
    '1::2::3/8',
    'fe80::1%eth0/64',
    '1.2.3.4/8/8',
  ])('refuses %j', (text) => expect(isCidr(text)).toBe(false));
});

describe('ipVersion', () => {
  it('agrees with Node', () => {
    const part = fc.constantFrom('0', '1', '00', '255', '256', 'ffff', 'g', '', ':', '::', '.', '1.2.3.4', 'Ab');
    const joined = fc
      .array(part, { maxLength: 12 })
      .chain((parts) => fc.constantFrom(':', '.', '').map((separator) => parts.join(separator)));
    const address = fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), joined);
    fc.assert(
      fc.property(address, (text) => {
        expect(ipVersion(text) ?? 0).toBe(isIP(text));
      }),
      { numRuns: 3000 },
    );
  });
});

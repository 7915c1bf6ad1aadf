import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate and its key as PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

const ECDSA_WITH_SHA256 = '06082a8648ce3d040302';
const COMMON_NAME = '0603550403';
const BASIC_CONSTRAINTS = '0603551d13';
const ALTERNATIVE_NAMES = '0603551d11';
const TRUE = '0101ff';
const DAY = 86_400_000;

/** Issues certificates for tests: X.509 version 3 (RFC 5280), as little of it as TLS needs. */
export class TestAuthority {
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;
  #serial = 1;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.#name = name;
    this.#key = privateKey;
    const authority = tlv(0x30, BASIC_CONSTRAINTS, TRUE, tlv(0x04, tlv(0x30, TRUE)));
    this.cert = this.#sign(name, publicKey, authority);
  }

  /** A certificate for 127.0.0.1, or for a client. */
  issue(name: string): Issued {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const address = tlv(0x30, ALTERNATIVE_NAMES, tlv(0x04, tlv(0x30, tlv(0x87, '7f000001'))));
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { cert: this.#sign(name, publicKey, address), key };
  }

  #sign(subject: string, publicKey: KeyObject, extension: string): string {
    const algorithm = tlv(0x30, ECDSA_WITH_SHA256);
    const now = Date.now();
    const signed = tlv(
      0x30,
      tlv(0xa0, '020102'),
      tlv(0x02, (this.#serial++).toString(16).padStart(2, '0')),
      algorithm,
      nameOf(this.#name),
      tlv(0x30, timeOf(now - DAY), timeOf(now + DAY)),
      nameOf(subject),
      publicKey.export({ format: 'der', type: 'spki' }).toString('hex'),
      tlv(0xa3, tlv(0x30, extension)),
    );
    const signature = sign('sha256', Buffer.from(signed, 'hex'), this.#key).toString('hex');
    const certificate = Buffer.from(tlv(0x30, signed, algorithm, tlv(0x03, '00', signature)), 'hex');
    const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  }
}

/** Tag, length and value in DER, as hexadecimal digits. */
function tlv(tag: number, ...parts: readonly string[]): string {
  const value = parts.join('');
  const length = value.length / 2;
  const digits = length.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const size = length < 0x80 ? even : (0x80 + even.length / 2).toString(16) + even;
  return tag.toString(16).padStart(2, '0') + size + value;
}

function nameOf(text: string): string {
  return tlv(0x30, tlv(0x31, tlv(0x30, COMMON_NAME, tlv(0x0c, Buffer.from(text).toString('hex')))));
}

/** UTCTime: `YYMMDDHHMMSSZ`. */
function timeOf(milliseconds: number): string {
  const text = new Date(milliseconds).toISOString().replace(/[-T:]|\.\d+/g, '');
  return tlv(0x17, Buffer.from(text.slice(2)).toString('hex'));
}

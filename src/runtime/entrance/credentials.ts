import { hash, timingSafeEqual } from 'node:crypto';
import { LONGEST_SECRET } from './entrance-settings.ts';

/**
 * Secrets of one kind, any of which will do: several make it possible to change one without a pause. Digests are compared,
 * all of them each time, so that the time tells neither how much of a guess is right nor which secret it is near to.
 */
export class Secrets {
  readonly #digests: readonly Buffer[];

  constructor(secrets: readonly string[]) {
    this.#digests = secrets.map(digest);
  }

  get size(): number {
    return this.#digests.length;
  }

  has(shown: string): boolean {
    if (shown.length > LONGEST_SECRET) return false;
    const wanted = digest(shown);
    let equal = 0;
    for (const each of this.#digests) equal |= Number(timingSafeEqual(each, wanted));
    return equal === 1;
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The header `Authorization` (RFC 9110 §11.6.2): one of the tokens (RFC 6750) or one of the users (RFC 7617). */
export class Credentials {
  readonly #bearer: Secrets;
  readonly #basic: Secrets;
  /** Whether any are asked for. */
  readonly wanted: boolean;
  /** What the header `WWW-Authenticate` of a refusal says. */
  readonly challenge: string;

  constructor(bearerTokens: readonly string[], basicUsers: readonly string[]) {
    this.#bearer = new Secrets(bearerTokens);
    this.#basic = new Secrets(basicUsers);
    const schemes = [this.#bearer.size > 0 ? 'Bearer' : '', this.#basic.size > 0 ? 'Basic' : ''].filter(Boolean);
    this.wanted = schemes.length > 0;
    this.challenge = schemes.map((scheme) => `${scheme} realm="falco-talon"`).join(', ');
  }

  /** @param header of the request, as sent */
  accept(header: string | undefined): boolean {
    if (!this.wanted) return true;
    if (header === undefined) return false;
    const space = header.indexOf(' ');
    const shown = header.slice(space + 1).trim();
    switch (header.slice(0, Math.max(space, 0)).toLowerCase()) {
      case 'bearer':
        return this.#bearer.has(shown);
      case 'basic':
        return this.#basic.has(Buffer.from(shown, 'base64').toString());
      default:
        return false;
    }
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes of bodies that are always read: each connection may have one of them. */
const SMALL = 16_384;
/** Bytes of all larger bodies at once. */
const LARGE_BODIES = 64 * 2 ** 20;

/**
 * Room for bodies that are being read or waited with. Without it, as many senders as there may be connections could make the
 * server hold a body of the largest size each. Alerts are small, so that theirs cost nothing here.
 */
export class BodyBudget {
  readonly #limit: number;
  #left: number;

  /** @param limit bytes of one body */
  constructor(limit: number) {
    this.#limit = limit;
    this.#left = Math.max(LARGE_BODIES, limit);
  }

  /** Whether there is room for the body of this request. It is taken until the response is over. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const bytes = this.#bytesOf(request);
    if (bytes <= SMALL) return true;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    response.once('close', () => {
      this.#left += bytes;
    });
    return true;
  }

  /** What does not say how long it is may be of the largest size; what is larger is not read. */
  #bytesOf({ headers }: IncomingMessage): number {
    const length = headers['content-length'];
    if (length !== undefined) return Number(length) > this.#limit ? 0 : Number(length);
    return headers['transfer-encoding'] === undefined ? 0 : this.#limit;
  }
}

/** Bytes of what a program writes that are kept. */
const MOST_BYTES = 256 * 1024;

/** The beginning of a text that comes in pieces, whatever its length. */
export class BoundedText {
  readonly #most: number;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Whether something is missing at its end. */
  truncated = false;

  /** @param most bytes that are kept, 256 KiB unless said */
  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    const room = this.#most - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    this.#chunks.push(Uint8Array.from(kept));
    this.#bytes += kept.length;
  }

  /** What is no UTF-8 is replaced; a character that is cut in two is left out. */
  get text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(this.#chunks), {
      stream: this.truncated,
    });
  }
}

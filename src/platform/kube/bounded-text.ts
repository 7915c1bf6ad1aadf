/** Bytes of what a program writes that are kept. */
const MOST_BYTES = 256 * 1024;

/** The beginning of a text that comes in pieces, whatever its length. */
export class BoundedText {
  readonly #most: number;
  /** One for all pieces: kept one by one, pieces of single bytes would take a hundred times their length. */
  #kept = new Uint8Array(0);
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
    this.#makeRoom(this.#bytes + kept.length);
    this.#kept.set(kept, this.#bytes);
    this.#bytes += kept.length;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#kept.length) return;
    const larger = new Uint8Array(Math.min(this.#most, Math.max(bytes, 2 * this.#kept.length)));
    larger.set(this.#kept.subarray(0, this.#bytes));
    this.#kept = larger;
  }

  /** What is no UTF-8 is replaced; a character that is cut in two is left out. */
  get text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#kept.subarray(0, this.#bytes), {
      stream: this.truncated,
    });
  }
}

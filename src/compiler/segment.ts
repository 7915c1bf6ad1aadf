import { TalonError } from '../model/talon-error.ts';
import { SEGMENT_AT } from './core/layout.ts';

/** Engines take no larger modules, give or take. */
const MOST_BYTES = 512 * 1024 * 1024;

/** A text in the segment: where it lies and its bytes of UTF-8. */
export interface PlacedText {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * The table segment while it is being written. It hands out places and takes values at addresses of the module's memory, where
 * the segment will lie from SEGMENT_AT on. What is not written is 0.
 */
export class Segment {
  readonly #encoder = new TextEncoder();
  readonly #texts = new Map<string, PlacedText>();
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /**
   * Address of so many new bytes.
   *
   * @throws TalonError `rules` for a policy that no host could load
   */
  reserve(size: number, alignment = 4): number {
    const at = (this.#length + alignment - 1) & -alignment;
    this.#length = at + size;
    this.#grow();
    return SEGMENT_AT + at;
  }

  #grow(): void {
    if (this.#length <= this.#bytes.length) return;
    if (this.#length > MOST_BYTES) throw new TalonError('rules', 'the policy needs more than 512 MiB');
    let size = this.#bytes.length;
    while (size < this.#length) size *= 2;
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  u32(address: number, value: number): void {
    this.#view.setUint32(address - SEGMENT_AT, value, true);
  }

  u64(address: number, value: bigint): void {
    this.#view.setBigUint64(address - SEGMENT_AT, value, true);
  }

  readU32(address: number): number {
    return this.#view.getUint32(address - SEGMENT_AT, true);
  }

  /** Places a text once, however often it is asked for. */
  text(text: string): PlacedText {
    const placed = this.#texts.get(text) ?? this.#place(text);
    this.#texts.set(text, placed);
    return placed;
  }

  #place(text: string): PlacedText {
    const bytes = this.#encoder.encode(text);
    const address = this.reserve(bytes.length, 1);
    this.#bytes.set(bytes, address - SEGMENT_AT);
    return { address, bytes };
  }

  /** Writes {pointer, length} of a text. */
  box(address: number, text: string): void {
    const placed = this.text(text);
    this.u32(address, placed.address);
    this.u32(address + 4, placed.bytes.length);
  }

  /** First address after the segment. */
  get end(): number {
    return SEGMENT_AT + this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

import { hash } from 'node:crypto';
import type { FalcoEvent } from '../model/falco-event.ts';
import { jsonText } from '../model/json-text.ts';

/** Keys held at once. More alerts than that within a window cannot be accepted by the pipeline anyway. */
const KEY_LIMIT = 200_000;

/**
 * What two alerts that are the same have in common: their output text, as Falco Talon has it. Without one, the rule, the
 * source, the host and the fields. A digest that nobody can find a second text for: whoever provokes alerts could silence
 * one with another otherwise.
 */
export function dedupKey(output: string, event: () => FalcoEvent): string {
  if (output !== '') return hash('sha256', output, 'base64');
  const { rule, source, hostname, output_fields } = event();
  return hash('sha256', jsonText([rule, source, hostname, output_fields]), 'base64');
}

/**
 * Remembers which alerts were taken, each for a fixed time from the first of its kind: repeats do not extend it. A window of
 * 0 seconds remembers nothing.
 */
export class DedupWindow {
  readonly #length: number;
  readonly #now: () => number;
  /** In the order in which they were opened, which is the order in which they close. */
  readonly #openedAt = new Map<string, number>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(seconds: number, now: () => number) {
    this.#length = seconds * 1000;
    this.#now = now;
  }

  /** Whether an alert with this key was taken within the window. */
  isOpen(key: string): boolean {
    this.#close();
    return this.#openedAt.has(key);
  }

  /** Begins the window of a key. */
  open(key: string): void {
    if (this.#length === 0) return;
    this.#openedAt.set(key, this.#now());
    if (this.#openedAt.size > KEY_LIMIT) this.#openedAt.delete(this.#openedAt.keys().next().value as string);
  }

  #close(): void {
    const oldest = this.#now() - this.#length;
    for (const [key, at] of this.#openedAt) {
      if (at > oldest) return;
      this.#openedAt.delete(key);
    }
  }
}

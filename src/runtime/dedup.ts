import { hash } from 'node:crypto';
import type { FalcoEvent } from '../model/falco-event.ts';
import { jsonText } from '../model/json-text.ts';

/** Keys held at once. More alerts than that within a window cannot be accepted by the pipeline anyway. */
const KEY_LIMIT = 200_000;

/** Milliseconds. */
const DROP_EVERY = 50;

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

/** Told whether the alert that was first of its kind is on disk. */
type Settled = (stored: boolean) => void;

interface Opening {
  readonly at: number;
  /** Those who want to know, until it is known. */
  waiting: Settled[] | undefined;
}

/**
 * Remembers which alerts were taken, each for a fixed time from the first of its kind: repeats do not extend it. A window of
 * 0 seconds remembers nothing. An alert counts as taken once it is on disk; what repeats it before that waits for that.
 */
export class DedupWindow {
  readonly #length: number;
  readonly #now: () => number;
  /** When closed windows were dropped last. */
  #droppedAt = Number.NEGATIVE_INFINITY;
  /** In the order in which they were opened, which is the order in which they close. */
  readonly #openings = new Map<string, Opening>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(seconds: number, now: () => number) {
    this.#length = seconds * 1000;
    this.#now = now;
  }

  /** Takes up what was taken before a restart, oldest first; `age` in milliseconds. */
  restore(taken: Iterable<{ readonly key: string; readonly age: number }>): void {
    if (this.#length === 0) return;
    for (const { key, age } of taken) this.#open(key, { at: this.#now() - Math.max(0, age), waiting: undefined });
  }

  /**
   * Whether an alert with this key was taken within the window. If so `settled` is called: at once when that one is on disk,
   * else when it is known whether it gets there.
   */
  repeats(key: string, settled: Settled): boolean {
    this.#dropClosed();
    const opening = this.#openings.get(key);
    if (!opening || opening.at <= this.#now() - this.#length) return false;
    if (opening.waiting) opening.waiting.push(settled);
    else settled(true);
    return true;
  }

  /** Begins the window of a key. The alert is not on disk yet: to be called is what this returns, when that is decided. */
  open(key: string): Settled {
    if (this.#length === 0) return () => undefined;
    const opening: Opening = { at: this.#now(), waiting: [] };
    this.#open(key, opening);
    return (stored) => {
      const { waiting = [] } = opening;
      opening.waiting = undefined;
      if (!stored && this.#openings.get(key) === opening) this.#openings.delete(key);
      for (const settled of waiting) settled(stored);
    };
  }

  #open(key: string, opening: Opening): void {
    this.#openings.delete(key);
    this.#openings.set(key, opening);
    if (this.#openings.size > KEY_LIMIT) this.#openings.delete(this.#openings.keys().next().value as string);
  }

  /** Now and then: to find the first one of a map steps over all that were deleted. */
  #dropClosed(): void {
    const now = this.#now();
    if (now < this.#droppedAt + DROP_EVERY) return;
    this.#droppedAt = now;
    const oldest = now - this.#length;
    for (const [key, { at }] of this.#openings) {
      if (at > oldest) return;
      this.#openings.delete(key);
    }
  }
}

/** Senders with a bucket of their own. Those beyond share one, so that nobody gains or harms by inventing addresses. */
const SENDERS = 10_000;
/** Milliseconds in which an untouched bucket fills up: it holds what one second allows. */
const REFILL = 1_000;

interface Bucket {
  tokens: number;
  /** When the tokens were counted, in milliseconds. */
  at: number;
}

/**
 * A token bucket for each sender. Two generations of buckets change once a second: one that was not touched for a whole
 * generation is full, and a full one is as good as none, so it can be forgotten.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #others: Bucket;
  #current = new Map<string, Bucket>();
  #previous = new Map<string, Bucket>();
  #turned: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#turned = now();
    this.#others = { tokens: perSecond, at: now() };
  }

  /** Whether this sender may send one more now; if so it is counted. */
  take(sender: string): boolean {
    const now = this.#now();
    if (now - this.#turned >= REFILL) this.#turn(now);
    const bucket = this.#bucket(sender, now);
    bucket.tokens = Math.min(this.#perSecond, bucket.tokens + ((now - bucket.at) / REFILL) * this.#perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Senders that are remembered. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  #turn(now: number): void {
    this.#previous = this.#current;
    this.#current = new Map();
    this.#turned = now;
  }

  #bucket(sender: string, now: number): Bucket {
    const known = this.#current.get(sender);
    if (known) return known;
    if (this.#current.size >= SENDERS) return this.#others;
    const bucket = this.#previous.get(sender) ?? { tokens: this.#perSecond, at: now };
    this.#current.set(sender, bucket);
    return bucket;
  }
}

/** Batches with alerts that follow one another within so many milliseconds mean load. */
const GAP = 2;

/** So many alerts are worth a sync of their own: they do not wait for what plans record. */
export const MANY = 8;

/** How thick and fast alerts come, told by the batches that were sent with some. Times are those of `performance.now`. */
export class AlertLoad {
  #last = { at: Number.NEGATIVE_INFINITY, alerts: 0 };
  #gap = Number.POSITIVE_INFINITY;

  /** A batch with alerts was sent. */
  sent(alerts: number, at: number): void {
    this.#gap = at - this.#last.at;
    this.#last = { at, alerts };
  }

  /** Whether the last two followed one another closely, and just now. */
  isHigh(): boolean {
    return this.#gap < GAP && performance.now() - this.#last.at < GAP;
  }

  /** Whether so many are enough to go ahead under load: many, and half as many as went last. */
  isHalf(alerts: number): boolean {
    return alerts >= MANY && 2 * alerts >= this.#last.alerts && this.isHigh();
  }
}

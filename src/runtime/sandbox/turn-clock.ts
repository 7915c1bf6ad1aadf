/**
 * How long a step has had the thread. A turn is over when its time is over *and* it has done work: on a machine that is
 * busy with other things the time alone would end steps that did nothing wrong.
 */
export class TurnClock {
  readonly #allTurns: number;
  #used = 0;
  #begun = 0;
  #polls = 0;
  #limit = Number.POSITIVE_INFINITY;

  /** @param allTurns milliseconds of all turns together */
  constructor(allTurns: number) {
    this.#allTurns = allTurns;
  }

  /** A turn of at most so many milliseconds begins. */
  begin(milliseconds: number): void {
    this.#begun = performance.now();
    this.#polls = 0;
    this.#limit = Math.min(milliseconds, this.#allTurns - this.#used);
  }

  /**
   * To be called now and then while it works: QuickJS asks each 10,000 jumps or calls, 4 to 30 times in a millisecond for a
   * loop and hardly ever in an honest turn. @returns whether the turn is over
   */
  poll(): boolean {
    return ++this.#polls > WORKING_POLLS && performance.now() - this.#begun > this.#limit;
  }

  end(): void {
    this.#used += performance.now() - this.#begun;
  }
}

const WORKING_POLLS = 50;

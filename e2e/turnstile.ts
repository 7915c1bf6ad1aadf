/** Lets through as many as are admitted; the others wait for their turn. */
export class Turnstile {
  #admitted = 0;
  readonly #waiting: (() => void)[] = [];

  async pass(): Promise<void> {
    if (this.#admitted > 0) this.#admitted -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  admit(count: number): void {
    const now = this.#waiting.splice(0, count);
    this.#admitted += count - now.length;
    for (const resolve of now) resolve();
  }

  /** From now on everybody passes. */
  open(): void {
    this.admit(Number.POSITIVE_INFINITY);
  }
}

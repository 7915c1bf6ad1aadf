/** Milliseconds without a refusal after which there is room again. */
const QUIET = 10_000;

/**
 * Notices that alerts are refused because too many are being handled, and that they are not any more. It says each of it once,
 * however many are refused and however often it changes within some seconds.
 */
export class Congestion {
  readonly #tell: (reason: string) => void;
  #lastRefusal = 0;
  #watch: NodeJS.Timeout | undefined;

  /** @param tell told why alerts are refused; empty: they are not any more */
  constructor(tell: (reason: string) => void) {
    this.#tell = tell;
  }

  /** An alert was refused. */
  refused(): void {
    this.#lastRefusal = performance.now();
    if (this.#watch) return;
    this.#tell('events are refused, because too many are being handled');
    this.#watch = setInterval(() => this.#look(), QUIET).unref();
  }

  #look(): void {
    if (performance.now() - this.#lastRefusal < QUIET) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#tell('');
  }
}

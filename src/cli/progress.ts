import type { Terminal } from './terminal.ts';

const PATIENCE_MS = 1000;
const CLEAR_LINE = '\r\x1b[K';

/**
 * One line on stderr that says what a long command is at. Shown only on a terminal, and only after a second, so that
 * short commands stay silent.
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #start = performance.now();
  #shown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Says what begins now. `long` for a step that is known to take seconds: it blocks, so its line cannot come later. */
  step(what: string, long = false): void {
    if (!this.#terminal.errIsTerminal) return;
    if (!long && performance.now() - this.#start < PATIENCE_MS) return;
    this.#terminal.err(`${CLEAR_LINE}${what} ...`);
    this.#shown = true;
  }

  /** Takes the line away, before anything else is printed. */
  done(): void {
    if (this.#shown) this.#terminal.err(CLEAR_LINE);
    this.#shown = false;
  }
}

import { BUSY_TIMEOUT, type JournalDatabase } from './journal-file.ts';
import type { JournalStore } from './journal-store.ts';
import type { DroppedPlan } from './journal-thread.ts';
import { Retention, type RetentionLimits } from './retention.ts';

/** Milliseconds between looks for plans that are too old. */
const AGE_EVERY = 60_000;

/**
 * What the thread of the journal does beside writing: drops what is too old or too much, and empties the write-ahead
 * log. In pieces of a few milliseconds, so that alerts come in between; only the bound of the size is kept under
 * load as well.
 */
export class Housekeeping {
  readonly #database: JournalDatabase;
  readonly #store: JournalStore;
  readonly #retention: Retention;
  #lastAgeLook = 0;
  /** Whether the log may hold something that is not in the file itself. */
  #isLogged = true;

  constructor(database: JournalDatabase, store: JournalStore, limits: RetentionLimits) {
    this.#database = database;
    this.#store = store;
    this.#retention = new Retention(database, store, limits);
  }

  /**
   * Does one piece of what is to be done.
   *
   * @param isIdle whether nothing was written for a while
   * @returns plans that were dropped; undefined when there is nothing more to do for now
   */
  piece(isIdle: boolean, now: number): readonly DroppedPlan[] | undefined {
    if (this.#retention.isTooLarge()) {
      const dropped = this.#retention.dropForSize();
      if (dropped) return this.#logged(dropped);
    }
    if (!isIdle) {
      this.#isLogged = true;
      return undefined;
    }
    if (now - this.#lastAgeLook >= AGE_EVERY) {
      const dropped = this.#retention.dropForAge(now);
      if (dropped) return this.#logged(dropped);
      this.#lastAgeLook = now;
    }
    if (this.#store.note()) this.#isLogged = true;
    this.#emptyLog();
    return undefined;
  }

  #logged(dropped: readonly DroppedPlan[]): readonly DroppedPlan[] {
    this.#isLogged = true;
    return dropped;
  }

  /** Not while somebody reads: then another time. */
  #emptyLog(): void {
    if (!this.#isLogged) return;
    this.#database.exec('PRAGMA busy_timeout = 0');
    try {
      const [busy] = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').raw().get() as [number];
      this.#isLogged = busy !== 0;
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    }
  }
}

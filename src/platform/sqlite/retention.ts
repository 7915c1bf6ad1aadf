import { LONGEST_WINDOW_SECONDS } from '../../model/guard-policy.ts';
import { type JournalDatabase, single } from './journal-file.ts';
import { firstIdSince, readEnd, readFact, writeFact } from './journal-rows.ts';
import type { JournalStore } from './journal-store.ts';
import type { DroppedPlan } from './journal-thread.ts';

export interface RetentionLimits {
  readonly retentionHours: number;
  readonly maxBytes: number;
}

/** Plans dropped in one transaction: so few that an alert that waits meanwhile hardly notices. */
const PIECE = 64;
/** Ended plans looked at in one go. */
const LOOKED_AT = 256;
const HOUR = 3_600_000;

/** The ones whose loss nobody needs to hear of. */
const SETTLED = "('done', 'dropped')";

/** A notice that waits outlives its plan; what became of one is kept no longer. */
const DEAD_NOTICE = "notice WHERE state = 'dead' AND alert";

/** Drops ended plans that are too old, and the oldest ones when the file is too large, a piece at a time. */
export class Retention {
  readonly #database: JournalDatabase;
  readonly #store: JournalStore;
  readonly #limits: RetentionLimits;
  /** Up to this id all ended plans have been looked at for their age. */
  #lookedAt = 0;
  /** Up to this id none has ended well, but for some whose turn came late: those count like the others. */
  #unsettledUpTo = 0;

  constructor(database: JournalDatabase, store: JournalStore, limits: RetentionLimits) {
    this.#database = database;
    this.#store = store;
    this.#limits = limits;
  }

  /** Whether the rows are more bytes than the file may have. Free pages inside it do not count: they are used again. */
  isTooLarge(): boolean {
    const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) =>
      Number(single(this.#database, `PRAGMA ${name}`)),
    ) as [number, number, number];
    return (pages - free) * size > this.#limits.maxBytes;
  }

  /**
   * Drops a piece of what is beyond the size: done plans first, then the others, the oldest first. Plans that are open stay,
   * whatever the size.
   *
   * @returns undefined when there is nothing to drop
   */
  dropForSize(): readonly DroppedPlan[] | undefined {
    return this.#store.transaction(() => {
      const settled = this.#oldestSettled();
      const ids = settled.length > 0 ? settled : this.#ids(`SELECT id FROM ended ORDER BY id LIMIT ${PIECE}`);
      return ids.length > 0 ? this.#drop(ids, 'size') : undefined;
    });
  }

  /**
   * Drops a piece of what ended too long ago.
   *
   * @returns undefined when all have been looked at; the next call begins anew
   */
  dropForAge(now: number): readonly DroppedPlan[] | undefined {
    const dropped = this.#store.transaction(() => this.#dropForAge(now));
    if (!dropped) {
      this.#dropBudgetUses(now);
      this.#dropNotices();
    }
    return dropped;
  }

  #dropForAge(now: number): readonly DroppedPlan[] | undefined {
    const oldest = now - this.#limits.retentionHours * HOUR;
    // A plan ends after its alert came in: those whose alerts are young need no look.
    const rows = this.#database
      .prepare(`SELECT id, CAST(at AS INTEGER) FROM ended WHERE id > ? AND id < ? ORDER BY id LIMIT ${LOOKED_AT}`)
      .raw()
      .all(this.#lookedAt, firstIdSince(this.#database, oldest)) as [number, number][];
    const last = rows.at(-1);
    const expired = rows.filter(([, at]) => at < oldest).slice(0, PIECE);
    const lastExpired = expired.at(-1);
    if (!last) {
      this.#lookedAt = 0;
      return undefined;
    }
    this.#lookedAt = expired.length === PIECE && lastExpired ? lastExpired[0] : last[0];
    return this.#drop(
      expired.map(([id]) => id),
      'age',
    );
  }

  /** Looks at no plan twice, lest it should go through hundreds of thousands that failed for each piece. */
  #oldestSettled(): number[] {
    const settled = this.#ids(
      `SELECT id FROM ended WHERE id > ${this.#unsettledUpTo} AND state IN ${SETTLED} ORDER BY id LIMIT ${PIECE}`,
    );
    const last = settled.length === PIECE ? settled.at(-1) : single(this.#database, 'SELECT max(id) FROM ended');
    this.#unsettledUpTo = Number(last ?? 0);
    return settled;
  }

  #ids(sql: string): number[] {
    return (this.#database.prepare(sql).raw().all() as [number][]).map(([id]) => id);
  }

  /**
   * Within the transaction in which the plans were chosen: an operator may open one again as soon as that is over.
   *
   * @returns those that ended otherwise than well
   */
  #drop(ids: readonly number[], because: 'age' | 'size'): DroppedPlan[] {
    const last = ids.at(-1);
    if (last === undefined) return [];
    const ends = ids.flatMap((id) => this.#endOf(id) ?? []);
    for (const table of ['entry WHERE alert', 'alert WHERE id', 'ended WHERE id', DEAD_NOTICE]) {
      const drop = this.#database.prepare(`DELETE FROM ${table} = ?`);
      for (const id of ids) drop.run([id]);
    }
    // Ids are never given twice, even when no row tells of them any more.
    writeFact(this.#database, 'dropped', Math.max(last, readFact(this.#database, 'dropped')));
    const others = ends.filter(({ state }) => state !== 'done' && state !== 'dropped');
    return others.map(({ id, state }) => ({ id, state, because }));
  }

  /** A row that is not what was written is dropped like the others, with a word about it. */
  #endOf(id: number): { id: number; state: DroppedPlan['state'] } | undefined {
    try {
      return readEnd(this.#database, id);
    } catch {
      return { id, state: 'dead' };
    }
  }

  /** Those that were given up after their plan was dropped. */
  #dropNotices(): void {
    const gone = `DELETE FROM ${DEAD_NOTICE} < (SELECT min(id) FROM alert)`;
    this.#store.transaction(() => this.#database.exec(gone));
  }

  #dropBudgetUses(now: number): void {
    const oldest = now - LONGEST_WINDOW_SECONDS * 1000;
    if (single(this.#database, `SELECT count(*) FROM budget_use WHERE at < ${oldest}`) === 0) return;
    this.#store.transaction(() => this.#database.prepare('DELETE FROM budget_use WHERE at < ?').run([oldest]));
  }
}

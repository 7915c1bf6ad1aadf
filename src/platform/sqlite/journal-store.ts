import type { BudgetUse, OpenPlan, StoredPolicy } from '../../model/journal.ts';
import { type AlertRow, ArenaReader, type Entry } from './arena.ts';
import { type JournalDatabase, single } from './journal-file.ts';
import { openIds, type PlanEnd, readBudgetUses, readFact, readPlan, readPolicy, writeFact } from './journal-rows.ts';
import { rowSum } from './row-sum.ts';

/** The statements of the hot path, prepared once. */
function prepare(database: JournalDatabase) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    alert: database.prepare('INSERT INTO alert VALUES(?, ?, ?, ?, ?, ?, ?, ?)'),
    entry: database.prepare('INSERT OR REPLACE INTO entry VALUES(?, ?, ?, ?, ?)'),
    end: database.prepare('INSERT OR REPLACE INTO ended VALUES(?, ?, ?, ?, ?)'),
    budgetUse: database.prepare('INSERT OR IGNORE INTO budget_use VALUES(?, ?, ?, ?, ?)'),
    policy: database.prepare('INSERT OR REPLACE INTO policy VALUES(?, ?, ?, ?)'),
  };
}

/** What became of a batch. */
export interface Written {
  readonly alerts: boolean;
  readonly entries: boolean;
  readonly error: string;
}

/** The tables of the journal, as the one thread that writes them sees them. */
export class JournalStore {
  readonly #database: JournalDatabase;
  readonly #sql: ReturnType<typeof prepare>;
  /** Ids of the plans that have not ended. */
  readonly #open: Set<number>;

  /** @throws BadRow when something that open plans need is not what was written */
  constructor(database: JournalDatabase) {
    this.#database = database;
    this.#sql = prepare(database);
    this.#open = new Set(openIds(database));
  }

  /**
   * Writes alerts and entries in one transaction. If that fails, the entries are tried alone: progress of what is running goes
   * before new work, and may still find room.
   */
  write(buffer: ArrayBuffer, alerts: number, entries: number): Written {
    const reader = new ArenaReader(buffer);
    const newAlerts = Array.from({ length: alerts }, () => reader.alert());
    const newEntries = Array.from({ length: entries }, () => reader.entry());
    const error = this.#tryToWrite(newAlerts, newEntries);
    if (error === undefined) return { alerts: true, entries: true, error: '' };
    const alone = alerts > 0 && entries > 0 ? this.#tryToWrite([], newEntries) : error;
    return { alerts: false, entries: alone === undefined, error };
  }

  /** @returns undefined when it is on disk, else why not; then nothing of it is kept */
  #tryToWrite(alerts: readonly AlertRow[], entries: readonly Entry[]): string | undefined {
    try {
      this.transaction(() => {
        for (const alert of alerts) this.#addAlert(alert);
        for (const entry of entries) this.#addEntry(entry);
        if (alerts.length + entries.length === 0) writeFact(this.#database, 'tried', Date.now());
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    for (const { id } of alerts) this.#open.add(id);
    for (const entry of entries) if (entry.kind === 'close') this.#open.delete(entry.alert);
    return undefined;
  }

  /** Runs something as one transaction; it is undone when it throws. */
  transaction<Result>(act: () => Result): Result {
    this.#sql.begin.run([]);
    try {
      const result = act();
      this.#sql.commit.run([]);
      return result;
    } catch (error) {
      // Some errors have undone it by themselves.
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #addAlert({ id, at, key, revision, rules, traceId, body }: AlertRow): void {
    const sum = rowSum([id, at, key, revision, rules, traceId, body]);
    this.#sql.alert.run([id, at, key, revision, rules, traceId, body, sum]);
  }

  #addEntry(entry: Entry): void {
    if (entry.kind === 'progress') this.#addProgress(entry);
    else if (entry.kind === 'close') this.#addEnd(entry);
    else this.#addPolicy(entry.policy);
  }

  #addProgress({ alert, seq, progress }: Entry & { kind: 'progress' }): void {
    const { at, ...rest } = progress;
    const text = JSON.stringify(rest);
    this.#sql.entry.run([alert, seq, at, text, rowSum([alert, seq, at, text])]);
    if (progress.kind !== 'reserved') return;
    const { step } = progress;
    for (const key of progress.budgets) {
      this.#sql.budgetUse.run([alert, step, key, at, rowSum([alert, step, key, at])]);
    }
  }

  #addEnd({ alert, at, state, reason }: Entry & { kind: 'close' }): void {
    this.#sql.end.run([alert, at, state, reason, rowSum([alert, at, state, reason])]);
  }

  #addPolicy(policy: StoredPolicy): void {
    const { revision } = policy;
    const data = JSON.stringify(policy);
    this.#sql.policy.run([revision, 0, data, rowSum([revision, data])]);
  }

  /** One more than any id that was ever given. */
  nextId(): number {
    const last = Number(single(this.#database, 'SELECT max(id) FROM alert') ?? 0);
    return Math.max(last, readFact(this.#database, 'dropped')) + 1;
  }

  /** @throws BadRow */
  policy(revision: string): StoredPolicy | undefined {
    return readPolicy(this.#database, revision);
  }

  /** @throws BadRow */
  openPlans(): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    // Those that an operator reopened are among them.
    this.#database.exec('DELETE FROM reopened');
    return this.#plans(openIds(this.#database));
  }

  #plans(ids: readonly number[]): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    const read = ids.flatMap((id) => readPlan(this.#database, id) ?? []);
    for (const { alert } of read) this.#open.add(alert.id);
    const lastSeq = read.reduce((last, plan) => Math.max(last, plan.lastSeq), 0);
    return { plans: read.map(({ alert, progress }) => ({ alert, progress })), lastSeq };
  }

  /** Plans that an operator reopened since the last call. @throws BadRow */
  takeReopened(): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    return this.transaction(() => {
      const ids = (this.#database.prepare('SELECT id FROM reopened ORDER BY id').raw().all() as number[][]).flat();
      if (ids.length > 0) this.#database.exec('DELETE FROM reopened');
      return this.#plans(ids.filter((id) => !this.#open.has(id)));
    });
  }

  acceptedSince(at: number): { key: string; at: number }[] {
    const newestFirst = this.#database.prepare('SELECT key, at FROM alert ORDER BY id DESC').raw();
    const found: { key: string; at: number }[] = [];
    for (const row of newestFirst.iterate() as Iterable<[string, number]>) {
      if (row[1] < at) break;
      found.push({ key: row[0], at: row[1] });
    }
    return found.reverse();
  }

  /** @throws BadRow */
  budgetsUsedSince(at: number): BudgetUse[] {
    return readBudgetUses(this.#database, at);
  }
}

export type { PlanEnd };

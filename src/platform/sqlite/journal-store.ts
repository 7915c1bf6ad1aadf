import type { BudgetUse, ClosedState, OpenPlan, PendingNotice, Progress, StoredPolicy } from '../../model/journal.ts';
import { type AlertRow, ArenaReader, type EntryRow } from './arena.ts';
import { type JournalDatabase, single } from './journal-file.ts';
import {
  checkPlanNumbers,
  endedRow,
  entryRow,
  firstIdSince,
  openIds,
  readBudgetUses,
  readFact,
  readPlan,
  readPolicy,
  writeFact,
} from './journal-rows.ts';
import { NoticeRows } from './notice-rows.ts';
import { rowSum } from './row-sum.ts';

/** The statements of the hot path, prepared once. */
function prepare(database: JournalDatabase) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    alert: database.prepare('INSERT INTO alert VALUES(?, ?, ?, ?, ?, ?, ?, ?)'),
    entry: database.prepare('INSERT OR REPLACE INTO entry VALUES(?, ?, ?, ?, ?, ?)'),
    end: database.prepare('INSERT OR REPLACE INTO ended VALUES(?, ?, ?, ?, ?, ?)'),
    budgetUse: database.prepare('INSERT OR REPLACE INTO budget_use VALUES(?, ?, ?, ?, ?)'),
    policy: database.prepare('INSERT OR REPLACE INTO policy VALUES(?, ?, ?)'),
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
  readonly notices: NoticeRows;
  readonly #database: JournalDatabase;
  readonly #sql: ReturnType<typeof prepare>;
  /** The newest alert of each policy, as far as it is not in the file yet. */
  readonly #newest = new Map<string, number>();
  /** Policies in use by the server, whether or not an alert was accepted. */
  #kept: readonly string[] = [];

  /** @throws BadRow when something that open plans need is not what was written */
  constructor(database: JournalDatabase) {
    this.#database = database;
    this.#sql = prepare(database);
    this.notices = new NoticeRows(database);
    checkPlanNumbers(database);
    // What was accepted after the last time that this was noted down.
    const noted = readFact(database, 'noted');
    const tail = database
      .prepare('SELECT CAST(revision AS BLOB), max(id) FROM alert WHERE id > ? GROUP BY revision')
      .raw();
    for (const [revision, id] of tail.all(noted) as [Buffer, number][]) this.#newest.set(String(revision), id);
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
  #tryToWrite(alerts: readonly AlertRow[], entries: readonly EntryRow[]): string | undefined {
    try {
      this.transaction(() => {
        for (const alert of alerts) this.#addAlert(alert);
        for (const entry of entries) this.#addEntry(entry);
        if (alerts.length + entries.length === 0) writeFact(this.#database, 'tried', Date.now());
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    for (const { id, revision } of alerts) this.#newest.set(revision, id);
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

  #addEntry(entry: EntryRow): void {
    const { kind, alert, seq, at, text } = entry;
    if (kind === 'close') this.#addEnd(entry);
    else if (kind === 'policy') this.#addPolicy(text);
    else if (kind === 'notice') this.notices.add(entry);
    else if (kind === 'settled') this.notices.settle(entry);
    else this.#sql.entry.run(entryRow(alert, seq, at, text));
    if (kind === 'reserved') this.#addBudgetUses(entry);
  }

  #addEnd({ alert, at, text }: EntryRow): void {
    const line = text.indexOf('\n');
    const state = text.slice(0, line) as ClosedState;
    this.#sql.end.run(endedRow({ id: alert, at, state, reason: text.slice(line + 1) }));
  }

  #addBudgetUses({ alert, at, text }: EntryRow): void {
    const { step, budgets } = JSON.parse(text) as Progress & { kind: 'reserved' };
    for (const key of budgets) this.#sql.budgetUse.run([alert, step, key, at, rowSum([alert, step, key, at])]);
  }

  #addPolicy(data: string): void {
    const { revision } = JSON.parse(data) as StoredPolicy;
    this.#sql.policy.run([revision, data, rowSum([revision, data])]);
    // The one before may still get an alert: the server keeps a policy first, and then turns to it.
    this.#kept = [...this.#kept.filter((kept) => kept !== revision), revision].slice(-2);
  }

  /**
   * Notes down what is needed to tell when nothing refers to a policy any more, and drops such policies.
   *
   * @returns whether there was something
   */
  note(): boolean {
    if (this.#newest.size === 0) return false;
    this.transaction(() => {
      for (const [revision, id] of this.#newest) writeFact(this.#database, `policy ${revision}`, id);
      writeFact(this.#database, 'noted', this.nextId() - 1);
      this.#dropPolicies();
    });
    this.#newest.clear();
    return true;
  }

  #dropPolicies(): void {
    const oldest = Number(single(this.#database, 'SELECT min(id) FROM alert') ?? Number.POSITIVE_INFINITY);
    const revisions = this.#database.prepare('SELECT CAST(revision AS BLOB) FROM policy').raw().all() as [Buffer][];
    for (const [name] of revisions) {
      const revision = String(name);
      const fact = `policy ${revision}`;
      if (this.#kept.includes(revision) || this.#kept.length === 0) continue;
      if (readFact(this.#database, fact) >= oldest) continue;
      this.#database.prepare('DELETE FROM policy WHERE revision = ?').run([revision]);
      this.#database.prepare('DELETE FROM fact WHERE name = ?').run([fact]);
    }
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
  readOpenPlans(): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    return this.#plans(openIds(this.#database));
  }

  /** The same, for somebody who goes on with them: what operators reopened by now is among them. @throws BadRow */
  openPlans(): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    return this.transaction(() => {
      this.#database.exec('DELETE FROM reopened');
      return this.readOpenPlans();
    });
  }

  #plans(ids: readonly number[]): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    const read = ids.flatMap((id) => readPlan(this.#database, id) ?? []);
    const lastSeq = read.reduce((last, plan) => Math.max(last, plan.lastSeq), 0);
    return { plans: read.map(({ alert, progress }) => ({ alert, progress })), lastSeq };
  }

  /** Plans that an operator reopened since the last call. @throws BadRow */
  takeReopened(): { readonly plans: OpenPlan[]; readonly lastSeq: number } {
    return this.transaction(() => {
      const ids = (this.#database.prepare('SELECT id FROM reopened ORDER BY id').raw().all() as number[][]).flat();
      if (ids.length > 0) this.#database.exec('DELETE FROM reopened');
      return this.#plans(ids);
    });
  }

  /** For somebody who goes on with them: what operators want to be sent again by now is among them. */
  openNotices(): PendingNotice[] {
    return this.transaction(() => {
      this.notices.takeResent();
      return this.notices.pending();
    });
  }

  /** Dead notices that an operator wants to be sent again since the last call. */
  takeResent(): PendingNotice[] {
    return this.notices.hasResent() ? this.transaction(() => this.notices.takeResent()) : [];
  }

  acceptedSince(at: number): { key: string; at: number }[] {
    const select = this.#database
      .prepare('SELECT CAST(key AS BLOB), CAST(at AS INTEGER) FROM alert WHERE id >= ? AND at >= ? ORDER BY id')
      .raw();
    const rows = select.all(firstIdSince(this.#database, at), at) as [Buffer, number][];
    return rows.map(([key, itsAt]) => ({ key: String(key), at: itsAt }));
  }

  /** @throws BadRow */
  budgetsUsedSince(at: number): BudgetUse[] {
    return readBudgetUses(this.#database, at);
  }
}

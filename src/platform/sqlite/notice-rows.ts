import type { NoticeResult, PendingNotice, QueuedNotice } from '../../model/journal.ts';
import type { EntryRow } from './arena.ts';
import { type JournalDatabase, single } from './journal-file.ts';
import { BadRow, checked, type Row, rowsWhere } from './journal-rows.ts';
import { type Columns, rowSum } from './row-sum.ts';
import { wholeRow } from './schema.ts';

/** `resent`: an operator wants a dead one to be sent again, and the server has not been told. */
export type NoticeState = 'pending' | 'dead' | 'resent';

/** A notice as operators see it. */
export interface NoticeRecord extends QueuedNotice {
  readonly state: NoticeState;
}

const ADD = 'INSERT OR REPLACE INTO notice VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

/** The notices of the journal, by row. */
export class NoticeRows {
  readonly #database: JournalDatabase;
  readonly #sql;

  constructor(database: JournalDatabase) {
    this.#database = database;
    this.#sql = {
      add: database.prepare(ADD),
      drop: database.prepare('DELETE FROM notice WHERE id = ?'),
      resent: database.prepare("SELECT id FROM notice WHERE state = 'resent' ORDER BY id").raw(),
    };
  }

  nextId(): number {
    return Number(single(this.#database, 'SELECT max(id) FROM notice') ?? 0) + 1;
  }

  /** Adds one, as an arena has it. */
  add({ alert, seq: id, at, text }: EntryRow): void {
    const line = text.indexOf('\n');
    const nextLine = text.indexOf('\n', line + 1);
    const [step, notifier] = [Number(text.slice(0, line)), text.slice(line + 1, nextLine)];
    this.#put([id, alert, step, notifier, at, 'pending', 0, at, '', text.slice(nextLine + 1)]);
  }

  /** Notes what became of one. Where its row is not what was written, that stays to be found at the next start. */
  settle({ alert: id, seq: attempts, at: nextAt, text }: EntryRow): void {
    const line = text.indexOf('\n');
    const kind = text.slice(0, line) as NoticeResult['kind'];
    const error = text.slice(line + 1);
    if (kind === 'sent') this.#sql.drop.run([id]);
    else if (kind === 'retry') this.#change(id, (record) => ({ ...record, attempts, nextAt, error }));
    else this.#change(id, (record) => ({ ...record, state: 'dead', attempts, error }));
  }

  /** @throws BadRow */
  read(id: number): NoticeRecord | undefined {
    return readNotice(this.#database, id);
  }

  /** Those that are to be sent, without what they say. */
  pending(): PendingNotice[] {
    const select = `SELECT id, CAST(alert AS INTEGER), CAST(step AS INTEGER), CAST(notifier AS BLOB), CAST(at AS INTEGER),
      CAST(attempts AS INTEGER), CAST(next AS INTEGER) FROM notice WHERE state = 'pending' ORDER BY id`;
    const rows = this.#database.prepare(select).raw().all() as [number, number, number, Buffer, ...number[]][];
    return rows.map(([id, alert, step, notifier, at = 0, attempts = 0, nextAt = 0]) => ({
      ...{ id, alert, step, notifier: String(notifier), at, attempts, nextAt },
    }));
  }

  /** Marks a dead one to be sent again, with tries as if there had been none. The server takes it up. @throws BadRow */
  resend({ error: _, ...record }: NoticeRecord, now: number): void {
    this.#write({ ...record, state: 'resent', attempts: 0, nextAt: now });
  }

  hasResent(): boolean {
    return this.#sql.resent.get([]) !== undefined;
  }

  /** Lets those wait that an operator wants to be sent again. */
  takeResent(): PendingNotice[] {
    const ids = (this.#sql.resent.all([]) as [number][]).map(([id]) => id);
    return ids.flatMap((id) => this.#change(id, (record) => ({ ...record, state: 'pending' })) ?? []);
  }

  /** Looks for damage in those that are to be sent, one after the other. @throws BadRow */
  check(): void {
    const select = this.#database.prepare(`SELECT ${wholeRow('notice')} FROM notice WHERE state <> 'dead'`).raw();
    for (const row of select.iterate()) checked('notice', row as Row);
  }

  /** @returns what it is now, without what it says; undefined where it is not there, or not what was written */
  #change(id: number, change: (record: NoticeRecord) => NoticeRecord): PendingNotice | undefined {
    const record = readOrNone(() => this.read(id));
    if (!record) return undefined;
    const changed = change(record);
    this.#write(changed);
    const { notice: _notice, state: _state, error: _error, ...pending } = changed;
    return pending;
  }

  #write({ id, alert, step, notifier, at, state, attempts, nextAt, error = '', notice }: NoticeRecord): void {
    this.#put([id, alert, step, notifier, at, state, attempts, nextAt, error, JSON.stringify(notice)]);
  }

  #put(columns: (string | number)[]): void {
    this.#sql.add.run([...columns, rowSum(columns)]);
  }
}

function readOrNone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadRow) return undefined;
    throw error;
  }
}

/** @throws BadRow */
export function readNotice(database: JournalDatabase, id: number): NoticeRecord | undefined {
  const [row] = rowsWhere(database, 'notice', 'id = ?', id);
  return row && noticeOf(row);
}

/** Those of a plan, by their ids. @throws BadRow */
export function noticesOfPlan(database: JournalDatabase, alert: number): NoticeRecord[] {
  return rowsWhere(database, 'notice', 'alert = ? ORDER BY id', alert).map(noticeOf);
}

/** A page of those with greater ids. @throws BadRow */
export function noticesAfter(database: JournalDatabase, id: number, isDead: boolean): NoticeRecord[] {
  const state = isDead ? "AND state = 'dead'" : '';
  return rowsWhere(database, 'notice', `id > ? ${state} ORDER BY id LIMIT ${PAGE}`, id).map(noticeOf);
}

const PAGE = 256;

function noticeOf(row: Columns): NoticeRecord {
  const [id, alert, step, notifier, at, state, attempts, nextAt, error, text] = row;
  return {
    id: id as number,
    alert: alert as number,
    step: step as number,
    notifier: notifier as string,
    at: at as number,
    state: state as NoticeState,
    attempts: attempts as number,
    nextAt: nextAt as number,
    ...(error !== '' && { error: error as string }),
    notice: JSON.parse(text as string),
  };
}

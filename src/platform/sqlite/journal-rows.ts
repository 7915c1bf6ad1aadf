import type {
  AcceptedAlert,
  BudgetUse,
  ClosedState,
  DatedProgress,
  OpenPlan,
  StoredPolicy,
} from '../../model/journal.ts';
import { type JournalDatabase, single } from './journal-file.ts';
import { type Columns, rowSum } from './row-sum.ts';
import { isText, type Table, wholeRow } from './schema.ts';

/** A row whose content is not what was written. */
export class BadRow extends Error {
  constructor(table: string, key: string | number) {
    super(`the row ${key} of the table ${table} is not what was written`);
    this.name = 'BadRow';
  }
}

/** An entry of a plan with its number. */
export interface NumberedProgress {
  readonly seq: number;
  readonly progress: DatedProgress;
}

export interface PlanEnd {
  readonly id: number;
  readonly at: number;
  readonly state: ClosedState;
  readonly reason: string;
}

/** A row as SQLite gives it, the checksum last. */
export type Row = readonly (string | number | Buffer)[];

/** Whole rows of a table that fit a condition. @throws BadRow */
export function rowsWhere(database: JournalDatabase, table: Table, condition: string, ...values: unknown[]): Columns[] {
  const rows = database.prepare(`SELECT ${wholeRow(table)} FROM ${table} WHERE ${condition}`).raw();
  return (rows.all(...values) as Row[]).map((row) => checked(table, row));
}

/**
 * The columns of a row that was selected by `wholeRow`, without the sum.
 *
 * @throws BadRow when that is not the sum of the others
 */
export function checked(table: Table, row: Row): Columns {
  const columns = row.slice(0, -1).map((column, place) => {
    if (typeof column !== 'object') return column;
    return isText(table, place) ? Buffer.from(column).toString() : Buffer.from(column);
  });
  if (rowSum(columns) !== row.at(-1)) throw new BadRow(table, String(columns[0]));
  return columns;
}

/** @throws BadRow */
export function readAlert(database: JournalDatabase, id: number): AcceptedAlert | undefined {
  const [row] = rowsWhere(database, 'alert', 'id = ?', id);
  return row && alertOf(row);
}

export function alertOf(row: Columns): AcceptedAlert {
  const [id, at, key, revision, rules, traceId, body] = row;
  return {
    id: id as number,
    at: at as number,
    key: key as string,
    revision: revision as string,
    rules: rules === '' ? [] : (rules as string).split(',').map(Number),
    traceId: traceId as string,
    body: body as Buffer,
  };
}

/** The entries of a plan, in order. @throws BadRow */
export function readProgress(database: JournalDatabase, id: number): NumberedProgress[] {
  return rowsWhere(database, 'entry', 'alert = ? ORDER BY seq', id).map(progressOf);
}

export function progressOf(row: Columns): NumberedProgress {
  const [, seq, at, text] = row;
  return { seq: seq as number, progress: { ...JSON.parse(text as string), at } };
}

/** @throws BadRow */
export function readEnd(database: JournalDatabase, id: number): PlanEnd | undefined {
  const [row] = rowsWhere(database, 'ended', 'id = ?', id);
  return row && endOf(row);
}

export function endOf(row: Columns): PlanEnd {
  const [id, at, state, reason] = row;
  return { id: id as number, at: at as number, state: state as ClosedState, reason: reason as string };
}

/** @throws BadRow */
export function readPolicy(database: JournalDatabase, revision: string): StoredPolicy | undefined {
  const [row] = rowsWhere(database, 'policy', 'revision = ?', revision);
  return row && JSON.parse(row[1] as string);
}

/** @throws BadRow */
export function readBudgetUses(database: JournalDatabase, since: number): BudgetUse[] {
  const rows = rowsWhere(database, 'budget_use', 'TRUE');
  const uses = rows.map(([alert, step, key, at]) => ({ alert, step, key, at }) as BudgetUse);
  return uses.filter(({ at }) => at >= since).sort((a, b) => a.at - b.at);
}

/** A number that the journal keeps for itself; 0 where it was never written. @throws BadRow */
export function readFact(database: JournalDatabase, name: string): number {
  const [row] = rowsWhere(database, 'fact', 'name = ?', name);
  return row ? (row[1] as number) : 0;
}

export function writeFact(database: JournalDatabase, name: string, value: number): void {
  database.prepare('INSERT OR REPLACE INTO fact VALUES(?, ?, ?)').run([name, value, rowSum([name, value])]);
}

/** A plan as it is gone on with, and the number of its last entry. @throws BadRow */
export function readPlan(database: JournalDatabase, id: number): (OpenPlan & { readonly lastSeq: number }) | undefined {
  const alert = readAlert(database, id);
  if (!alert) return undefined;
  const entries = readProgress(database, id);
  return { alert, progress: entries.map(({ progress }) => progress), lastSeq: entries.at(-1)?.seq ?? 0 };
}

/** Ids of the plans that have not ended. */
export function openIds(database: JournalDatabase): number[] {
  const sql = 'SELECT id FROM alert WHERE NOT EXISTS (SELECT 1 FROM ended WHERE ended.id = alert.id) ORDER BY id';
  return (database.prepare(sql).raw().all() as Row[]).map(([id]) => id as number);
}

/**
 * The id of the first alert that came in then or later, or one more than the last: found by halving, since ids are in the
 * order in which alerts come in. Where the clock was set back, one of the places that fit.
 */
export function firstIdSince(database: JournalDatabase, at: number): number {
  const range = database.prepare('SELECT min(id), max(id) FROM alert').raw().get() as [number | null, number | null];
  const next = database.prepare('SELECT id, CAST(at AS INTEGER) FROM alert WHERE id >= ? ORDER BY id LIMIT 1').raw();
  let [low, high] = [range[0] ?? 1, (range[1] ?? 0) + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [id, itsAt] = next.get([middle]) as [number, number];
    if (itsAt < at) low = id + 1;
    else high = middle;
  }
  return low;
}

/** Takes back alerts of which nobody knew whether they were written, and which were refused therefore. */
export function forgetAlerts(database: JournalDatabase, ids: readonly number[]): void {
  const forget = database.prepare('DELETE FROM alert WHERE id = ?');
  for (const id of ids) forget.run([id]);
}

/** Looks for rows that are not about the plan that they were written for. @throws BadRow */
export function checkPlanNumbers(database: JournalDatabase): void {
  for (const [table, column] of [
    ['entry', 'alert'],
    ['ended', 'id'],
  ] as const) {
    const found = single(database, `SELECT CAST(${column} AS INTEGER) FROM ${table} WHERE ${column} <> again LIMIT 1`);
    if (found !== undefined) throw new BadRow(table, String(found));
  }
}

/** Values of a row of `entry`; the progress is JSON, without its moment. */
export function entryRow(alert: number, seq: number, at: number, progress: string): (string | number)[] {
  const columns = [alert, seq, at, progress, alert];
  return [...columns, rowSum(columns)];
}

/** Values of a row of `ended`. */
export function endedRow({ id, at, state, reason }: PlanEnd): (string | number)[] {
  const columns = [id, at, state, reason, id];
  return [...columns, rowSum(columns)];
}

import { faultOfShape, type JournalDatabase, single } from './journal-file.ts';
import { checked, type Row } from './journal-rows.ts';
import type { Columns } from './row-sum.ts';
import { PAGE_SIZE, type Table, wholeRow } from './schema.ts';

/** Rows read at once. */
const PAGE = 100;
/** Where nothing at all can be read for so long, there is nothing behind it. */
const GIVE_UP_AFTER = 1_000_000;

/** What came out of one table of a damaged journal. */
export interface Salvaged {
  /** Good rows without their checksums. */
  readonly rows: readonly Columns[];
  /** Rows that are there and not what was written, by their first column; and keys at which nothing could be read. */
  readonly bad: readonly (string | number)[];
  /** Whether SQLite finds the table whole; if not, rows may be missing without a trace. */
  readonly isWhole: boolean;
}

/** All that can be read of a table whose key is its column `id`, however its inner pages are damaged. */
export function salvageById(database: JournalDatabase, table: Table, lastId: number): Salvaged {
  const page = database.prepare(`SELECT ${wholeRow(table)} FROM ${table} WHERE id > ? ORDER BY id LIMIT ${PAGE}`).raw();
  const one = database.prepare(`SELECT ${wholeRow(table)} FROM ${table} WHERE id = ?`).raw();
  const sieve = new Sieve(table);
  let after = 0;
  let fruitless = 0;
  while (after < lastId && fruitless < GIVE_UP_AFTER) {
    const rows = attempt(() => page.all([after]) as Row[]);
    if (rows?.length === 0) break;
    if (rows) {
      sieve.addAll(rows);
      after = Math.max(after + 1, Number(rows.at(-1)?.[0]) || 0);
      fruitless = 0;
      continue;
    }
    // Somewhere in this page: one key after the other.
    const end = Math.min(after + PAGE, lastId);
    const found = sieve.addKeys(keysBetween(after, end), (key) => one.all([key]) as Row[]);
    after = end;
    fruitless = found > 0 ? 0 : fruitless + PAGE;
  }
  return { ...sieve.result(), isWhole: isWhole(database, table) };
}

function keysBetween(after: number, end: number): number[] {
  return Array.from({ length: end - after }, (_, index) => after + index + 1);
}

/** All that can be read of a table by the values of one of its columns. */
export function salvageByKeys(
  database: JournalDatabase,
  table: Table,
  column: string,
  keys: Iterable<string | number>,
): Salvaged {
  const select = database.prepare(`SELECT ${wholeRow(table)} FROM ${table} WHERE ${column} = ?`).raw();
  const sieve = new Sieve(table);
  sieve.addKeys(keys, (key) => select.all([key]) as Row[]);
  return { ...sieve.result(), isWhole: isWhole(database, table) };
}

/** Values of a column, as far as they can be read. */
export function salvageKeys(
  database: JournalDatabase,
  table: Table,
  column: 'alert' | 'revision',
): (string | number)[] {
  const kind = column === 'alert' ? 'INTEGER' : 'BLOB';
  const select = `SELECT CAST(${column} AS ${kind}) FROM ${table}`;
  const rows = attempt(() => database.prepare(select).raw().all() as Row[]) ?? [];
  return rows.flatMap(([key]) => (key === undefined ? [] : [typeof key === 'object' ? String(key) : key]));
}

/** Ids that are looked for beyond the highest one that could be read: those of the newest alerts may be what cannot. */
const BEYOND = 1_000;
/** No row of a plan is smaller. */
const LEAST_ROW = 32;

/** The highest id that may be there. */
export function lastIdIn(database: JournalDatabase): number {
  return lastOf(database, ['max(id) FROM alert', 'max(id) FROM ended', 'CAST(max(alert) AS INTEGER) FROM entry']);
}

/** The highest id of a notice that may be there. */
export function lastNoticeIn(database: JournalDatabase): number {
  return lastOf(database, ['max(id) FROM notice']);
}

function lastOf(database: JournalDatabase, sources: readonly string[]): number {
  const found = sources.flatMap((source) => attempt(() => Number(single(database, `SELECT ${source}`) ?? 0)) ?? []);
  const plausible = found.filter((id) => Number.isSafeInteger(id) && id > 0);
  if (plausible.length > 0) return Math.max(...plausible) + BEYOND;
  const pages = attempt(() => Number(single(database, 'PRAGMA page_count'))) ?? 0;
  return (pages * PAGE_SIZE) / LEAST_ROW;
}

/** Whether SQLite finds no fault in the shape of a table. */
function isWhole(database: JournalDatabase, table: Table): boolean {
  return attempt(() => faultOfShape(database, table) === undefined) === true;
}

/** Parts good rows from bad ones. */
class Sieve {
  readonly #table: Table;
  readonly #rows: Columns[] = [];
  readonly #bad = new Set<string | number>();

  constructor(table: Table) {
    this.#table = table;
  }

  addAll(rows: readonly Row[]): void {
    for (const row of rows) {
      const good = attempt(() => checked(this.#table, row));
      if (good) this.#rows.push(good);
      else this.#bad.add(typeof row[0] === 'number' ? row[0] : String(row[0]));
    }
  }

  /** Key by key. @returns how many rows there were */
  addKeys(keys: Iterable<string | number>, read: (key: string | number) => Row[]): number {
    let found = 0;
    for (const key of keys) {
      const rows = attempt(() => read(key));
      if (rows) this.addAll(rows);
      else this.#bad.add(key);
      found += rows?.length ?? 0;
    }
    return found;
  }

  result(): { readonly rows: readonly Columns[]; readonly bad: readonly (string | number)[] } {
    return { rows: this.#rows, bad: [...this.#bad] };
  }
}

/** Undefined where a page cannot be read. */
function attempt<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

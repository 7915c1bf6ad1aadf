import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import Database from 'libsql';
import { TalonError } from '../../model/talon-error.ts';
import { createJournalFile, faultOfShape, type JournalDatabase, single, sqliteCode, tablesOf } from './journal-file.ts';
import { lastIdIn, type Salvaged, salvageById, salvageByKeys, salvageKeys } from './salvage.ts';
import { APPLICATION_ID, FORMAT, PAGE_SIZE, TABLES } from './schema.ts';

/**
 * Copies file and log. Where SQLite cannot make sense of the first page, the copy gets that of a new journal, which is the
 * same but for counts: all tables were made at once, so that each begins at the same page in every journal.
 *
 * @returns whether it could
 */
export function openableCopy(file: string, copy: string): boolean {
  copyFileSync(file, copy);
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
  const format = formatOf(copy);
  if (format !== undefined && format > FORMAT) {
    throw new TalonError('journal', `the journal ${file} was written by a later version of Talon (format ${format})`);
  }
  if (format === FORMAT) return true;
  const fresh = `${copy}-fresh`;
  rmSync(fresh, { force: true });
  createJournalFile(fresh);
  try {
    giveFirstPage(fresh, copy);
  } finally {
    rmSync(fresh, { force: true });
  }
  return false;
}

/** Undefined where it is no journal, or its tables cannot be read. */
function formatOf(file: string): number | undefined {
  const database = new Database(file);
  try {
    if (single(database, 'PRAGMA application_id') !== APPLICATION_ID) return undefined;
    const format = Number(single(database, 'PRAGMA user_version'));
    return format > FORMAT || tablesOf(database) === TABLES.join() ? format : undefined;
  } catch (error) {
    if (sqliteCode(error) === '') throw error;
    return undefined;
  } finally {
    database.close();
  }
}

/** Where the file format keeps the number of pages, and the version for which that number holds (sqlite.org/fileformat2). */
const PAGE_COUNT_AT = 28;

function giveFirstPage(fresh: string, copy: string): void {
  const page = Buffer.alloc(PAGE_SIZE);
  const from = openSync(fresh, 'r');
  readSync(from, page, 0, PAGE_SIZE, 0);
  closeSync(from);
  // Never fewer than a new one has: SQLite wants the first page of every table to be there.
  const pages = Math.ceil(Math.max(statSync(copy).size, statSync(fresh).size) / PAGE_SIZE);
  page.writeUInt32BE(pages, PAGE_COUNT_AT);
  // Read and written by way of a log.
  page[18] = 2;
  page[19] = 2;
  const to = openSync(copy, 'r+');
  ftruncateSync(to, pages * PAGE_SIZE);
  writeSync(to, page, 0, PAGE_SIZE, 0);
  fsyncSync(to);
  closeSync(to);
}

/** What all tables of a damaged journal still hold. */
export interface Found {
  readonly alerts: Salvaged;
  readonly ends: Salvaged;
  readonly entries: Salvaged;
  readonly budgetUses: Salvaged;
  readonly policies: Salvaged;
  readonly facts: Salvaged;
  /** The highest id that was seen anywhere. */
  readonly lastId: number;
  /** Whether nothing at all is wrong. */
  readonly isSound: boolean;
}

/**
 * Reads all that is good.
 *
 * @throws TalonError('journal') when there is nothing
 */
export function readCopy(file: string, copy: string): Found {
  const database = new Database(copy);
  try {
    const found = readTables(database);
    const tables = [found.alerts, found.ends, found.entries, found.budgetUses, found.policies, found.facts];
    if (tables.every(({ rows }) => rows.length === 0) && !tables.every(({ isWhole }) => isWhole)) {
      throw nothingThere(file);
    }
    const isSound = tables.every(({ bad, isWhole }) => bad.length === 0 && isWhole) && isSoundAsAWhole(database);
    return { ...found, isSound };
  } finally {
    database.close();
  }
}

function nothingThere(file: string): TalonError {
  const advice = 'nothing was changed; to begin with an empty journal, move the file and those beside it away';
  return new TalonError('journal', `nothing in ${file} can be read as a journal: ${advice}`);
}

function isSoundAsAWhole(database: JournalDatabase): boolean {
  try {
    return faultOfShape(database) === undefined;
  } catch {
    return false;
  }
}

function readTables(database: JournalDatabase): Omit<Found, 'isSound'> {
  const last = lastIdIn(database);
  const alerts = salvageById(database, 'alert', last);
  const ends = salvageById(database, 'ended', last);
  const ids = alerts.rows.map(([id]) => id as number);
  const entries = salvageByKeys(database, 'entry', 'alert', ids);
  const withBudgets = new Set([...salvageKeys(database, 'budget_use', 'alert'), ...ids]);
  const budgetUses = salvageByKeys(database, 'budget_use', 'alert', withBudgets);
  const revisions = new Set(alerts.rows.map((row) => row[3] as string));
  for (const revision of salvageKeys(database, 'policy', 'revision')) revisions.add(String(revision));
  const policies = salvageByKeys(database, 'policy', 'revision', revisions);
  const facts = salvageByKeys(database, 'fact', 'name', ['dropped']);
  const dropped = Number(facts.rows[0]?.[1] ?? 0);
  const lastId = [...alerts.rows, ...ends.rows].reduce((most, [id]) => Math.max(most, id as number), dropped);
  return { alerts, ends, entries, budgetUses, policies, facts, lastId };
}

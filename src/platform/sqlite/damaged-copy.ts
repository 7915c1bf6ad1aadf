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
import {
  createJournalFile,
  faultOfShape,
  formatOf,
  type JournalDatabase,
  single,
  sqliteCode,
  tablesOf,
} from './journal-file.ts';
import { applyDamagedLog, isLogDamaged } from './log-damage.ts';
import { lastIdIn, lastNoticeIn, type Salvaged, salvageById, salvageByKeys, salvageKeys } from './salvage.ts';
import { APPLICATION_ID, FORMAT, PAGE_SIZE, tablesOfFormat, WITH_NOTICES } from './schema.ts';

/** How a copy of a journal was made. */
export interface Copied {
  /** Whether SQLite makes sense of the file and its log as they are. */
  readonly isReadable: boolean;
  /** Pages whose latest content was in a damaged place of the log. */
  readonly stalePages: number;
}

/**
 * Copies file and log. A damaged log is worked into the copy as far as it is good. Where SQLite cannot make sense of the first
 * page, the copy gets that of a new journal, which is the same but for counts: all tables were made at once, so that each
 * begins at the same page in every journal. Only notices do not, where a later version added their table: they are lost then.
 */
export function openableCopy(file: string, copy: string): Copied {
  copyFileSync(file, copy);
  const log = `${file}-wal`;
  const isDamaged = isLogDamaged(log);
  const stalePages = isDamaged ? applyDamagedLog(log, copy) : 0;
  if (existsSync(log) && !isDamaged) copyFileSync(log, `${copy}-wal`);
  return { isReadable: giveReadableStart(file, copy) && !isDamaged, stalePages };
}

/** @returns whether it had one */
function giveReadableStart(file: string, copy: string): boolean {
  const format = knownFormat(copy);
  if (format !== undefined && format > FORMAT) {
    throw new TalonError('journal', `the journal ${file} was written by a later version of Talon (format ${format})`);
  }
  if (format !== undefined) return true;
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
function knownFormat(file: string): number | undefined {
  const database = new Database(file);
  try {
    if (single(database, 'PRAGMA application_id') !== APPLICATION_ID) return undefined;
    const format = formatOf(database);
    return format > FORMAT || tablesOf(database) === tablesOfFormat(format)?.join() ? format : undefined;
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
  readonly notices: Salvaged;
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
export function readCopy(file: string, copy: string, { stalePages }: Copied): Found {
  const database = new Database(copy);
  try {
    const found = readTables(database, stalePages === 0);
    const { lastId: _, ...ofTables } = found;
    const tables = Object.values(ofTables);
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

/** @param isLatest whether every page has its latest content; otherwise no table is whole, even if nothing in it is wrong */
function readTables(database: JournalDatabase, isLatest: boolean): Omit<Found, 'isSound'> {
  const whole = (salvaged: Salvaged): Salvaged => ({ ...salvaged, isWhole: salvaged.isWhole && isLatest });
  const last = lastIdIn(database);
  const alerts = whole(salvageById(database, 'alert', last));
  const ends = whole(salvageById(database, 'ended', last));
  const ids = alerts.rows.map(([id]) => id as number);
  const entries = whole(salvageByKeys(database, 'entry', 'alert', ids));
  const withBudgets = new Set([...salvageKeys(database, 'budget_use', 'alert'), ...ids]);
  const budgetUses = whole(salvageByKeys(database, 'budget_use', 'alert', withBudgets));
  const revisions = new Set(alerts.rows.map((row) => row[3] as string));
  for (const revision of salvageKeys(database, 'policy', 'revision')) revisions.add(String(revision));
  const policies = salvageByKeys(database, 'policy', 'revision', revisions);
  const facts = salvageByKeys(database, 'fact', 'name', ['dropped']);
  const dropped = Number(facts.rows[0]?.[1] ?? 0);
  const lastId = [...alerts.rows, ...ends.rows].reduce((most, [id]) => Math.max(most, id as number), dropped);
  const notices = whole(salvageNotices(database));
  return { alerts, ends, entries, budgetUses, policies, facts, notices, lastId };
}

/** Journals of the first version have none. */
function salvageNotices(database: JournalDatabase): Salvaged {
  if (formatOf(database) < WITH_NOTICES) return { rows: [], bad: [], isWhole: true };
  return salvageById(database, 'notice', lastNoticeIn(database));
}

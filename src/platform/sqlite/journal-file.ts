import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { TalonError } from '../../model/talon-error.ts';
import { makeFolder } from '../files/make-folder.ts';
import { isLogDamaged } from './log-damage.ts';
import { APPLICATION_ID, FORMAT, PAGE_SIZE, TABLES, type Table, tablesOfFormat } from './schema.ts';

/** Milliseconds to wait while another process writes. */
export const BUSY_TIMEOUT = 10_000;

/** Ends the name of a repaired journal that has not taken the place of the damaged one yet. */
export const REPAIRED = '.repaired';

export type JournalDatabase = Database.Database;

/** Keeps the file from being opened by a second server. The kernel lets go of it when the process ends, however it ends. */
export interface JournalLock {
  release(): void;
}

/**
 * Takes the lock on a journal: an exclusive transaction on a small file beside it, so that the journal itself can be read and
 * written by operators meanwhile.
 *
 * @returns undefined when a server has it
 * @throws TalonError('journal') when the folder cannot be written
 */
export function lockJournal(file: string): JournalLock | undefined {
  const lockFile = `${file}.lock`;
  return worded(file, () => {
    makeFolder(path.dirname(file));
    // Never opened here once it is there: closing a file lets go of all locks that the process has on it.
    if (!existsSync(lockFile)) createPrivate(lockFile);
    const database = new Database(lockFile, { timeout: 0 });
    try {
      // Nothing is ever written: no journal of the lock file is needed.
      database.exec('PRAGMA journal_mode = MEMORY');
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      if (sqliteCode(error).startsWith('SQLITE_BUSY')) return undefined;
      throw error;
    }
    return { release: () => void database.close() };
  });
}

/**
 * Opens the file of a journal for the server, which has the lock; makes it where there is none.
 *
 * @throws TalonError('journal') with what is wrong with the file and what to do
 */
export function openForServer(file: string): JournalDatabase {
  if (existsSync(`${file}${REPAIRED}`)) throw damaged(file, 'a repair of it was not finished');
  if (!existsSync(file)) create(file);
  refuseDamagedLog(file);
  const database = openExisting(file);
  worded(file, () => {
    for (const each of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(each)) chmodSync(each, 0o600);
    checkShape(file, database);
    bringUpToDate(database);
  });
  return database;
}

/**
 * To be called before SQLite opens the file: it takes what is in front of the damage for the whole log, and removes the rest
 * when it is closed. Not for the log of a server that runs, which changes while it is read.
 *
 * @throws TalonError('journal')
 */
export function refuseDamagedLog(file: string): void {
  if (worded(file, () => isLogDamaged(`${file}-wal`))) throw damaged(file, 'its log is damaged in the middle');
}

/**
 * Opens the file of a journal that exists, beside a server or without one.
 *
 * @throws TalonError('journal') with what is wrong with the file and what to do
 */
export function openExisting(file: string): JournalDatabase {
  if (!existsSync(file)) throw new TalonError('journal', `there is no journal ${file}`);
  // SQLite takes an empty file for a new one, and would begin again as if nothing had been.
  if (statSync(file).size === 0) throw damaged(file, 'it is empty');
  return worded(file, () => {
    const database = new Database(file, { timeout: BUSY_TIMEOUT });
    try {
      checkKind(file, database);
      database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
      database.exec('PRAGMA cell_size_check = ON');
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  });
}

/** The only value of the only row that a statement yields. */
export function single(database: JournalDatabase, sql: string): unknown {
  const row = database.prepare(sql).raw().get() as readonly unknown[] | undefined;
  return row?.[0];
}

/** What an error of SQLite is called, as `SQLITE_FULL`; empty for other errors. */
export function sqliteCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
}

/** Says that a file holds something that Talon did not write, or not like that. */
export function damaged(file: string, what: string, cause?: unknown): TalonError {
  const advice = `run \`talon journal repair --journal ${file}\`, which keeps the damaged file and saves what can be read`;
  return new TalonError('journal', `the journal ${file} is damaged (${what}): ${advice}`, { cause });
}

/** Runs something that touches a journal's file. @throws TalonError('journal') for every fault of file or disk */
export function worded<Result>(file: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw wordedError(file, error);
  }
}

function wordedError(file: string, error: unknown): unknown {
  if (error instanceof TalonError || !(error instanceof Error)) return error;
  const code = sqliteCode(error);
  // Our statements are right, so that a plain error comes from what the file says of itself: its format, its tables.
  const isDamage = code.startsWith('SQLITE_CORRUPT') || ['SQLITE_ERROR', 'SQLITE_IOERR_SHORT_READ'].includes(code);
  if (isDamage) return damaged(file, error.message, error);
  if (code.startsWith('SQLITE_NOTADB')) return foreign(file, error);
  const isOfSystem = 'syscall' in error || /unable to open/i.test(error.message);
  if (code === '' && !isOfSystem) return error;
  return new TalonError('journal', `the journal ${file} cannot be used: ${systemReason(code, error)}`, {
    cause: error,
  });
}

function systemReason(code: string, error: Error): string {
  if (/unable to open/i.test(error.message))
    return 'it cannot be opened; the user of this process must be able to write it';
  if (code.startsWith('SQLITE_IOERR')) return `${error.message}; look whether the disk is full, or faulty`;
  if (code.startsWith('SQLITE_BUSY')) return 'another process keeps it locked; try again when that has ended';
  return `${error.message}; its folder must be writable for the user of this process, with space left on the disk`;
}

function foreign(file: string, cause?: unknown): TalonError {
  const advice = `set \`journal.path\` to another file; if this was a journal once, \`talon journal repair --journal ${file}\` saves what can be read`;
  return new TalonError('journal', `the file ${file} is not a journal of Talon: ${advice}`, { cause });
}

/** Makes the file under another name, so that a journal that is not whole is never there under its own. */
function create(file: string): void {
  worded(file, () => {
    if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) {
      throw new TalonError(
        'journal',
        `the journal ${file} is missing, but ${file}-wal, which belongs to it, is there: put both back, or remove the latter to begin anew`,
      );
    }
    const unfinished = `${file}.new`;
    rmSync(unfinished, { force: true });
    createJournalFile(unfinished);
    renameSync(unfinished, file);
    syncFolder(path.dirname(file));
  });
}

/** Makes an empty journal; nothing must be there. */
export function createJournalFile(file: string): void {
  createPrivate(file);
  const database = new Database(file);
  try {
    database.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
    database.exec('PRAGMA synchronous = FULL');
    database.exec('BEGIN IMMEDIATE');
    for (const table of TABLES) database.exec(table);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${FORMAT}`);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

/** SQLite gives the files that it makes beside it the same mode. */
function createPrivate(file: string): void {
  closeSync(openSync(file, 'wx', 0o600));
}

/** What tells later whether files still are the ones that have these names now. */
export function placeOf(files: readonly string[]): () => boolean {
  const inode = (file: string) => statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
  const inodes = files.map(inode);
  return () => files.every((file, index) => inode(file) === inodes[index]);
}

export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function checkKind(file: string, database: JournalDatabase): void {
  if (single(database, 'PRAGMA application_id') !== APPLICATION_ID) throw foreign(file);
  const format = formatOf(database);
  if (format > FORMAT) {
    const advice = 'start that version, or set `journal.path` to another file';
    throw new TalonError(
      'journal',
      `the journal ${file} was written by a later version of Talon (format ${format}): ${advice}`,
    );
  }
  const tables = tablesOfFormat(format);
  if (!tables) throw damaged(file, `format ${format}`);
  if (tablesOf(database) !== tables.join()) throw damaged(file, 'its tables are not those of a journal');
}

/** Gives a journal of an earlier version the tables that have come since. Rows stay as they are. */
function bringUpToDate(database: JournalDatabase): void {
  const format = formatOf(database);
  if (format === FORMAT) return;
  const known = tablesOfFormat(format)?.length ?? 0;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const table of TABLES.slice(known)) database.exec(table);
    database.exec(`PRAGMA user_version = ${FORMAT}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    database.close();
    throw error;
  }
}

export function formatOf(database: JournalDatabase): number {
  return Number(single(database, 'PRAGMA user_version'));
}

/** The statements that made the tables. */
export function tablesOf(database: JournalDatabase): string {
  const select = 'SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid';
  return (database.prepare(select).raw().all() as Buffer[][]).join();
}

/** Reads the whole file: rows that have fallen out of their table would be missed by nobody else. */
function checkShape(file: string, database: JournalDatabase): void {
  const found = faultOfShape(database);
  if (found !== undefined) throw damaged(file, found);
}

/** What SQLite finds wrong with the shape of the file, or of one table. */
export function faultOfShape(database: JournalDatabase, table?: Table): string | undefined {
  const found = single(
    database,
    `SELECT CAST(quick_check AS BLOB) FROM pragma_quick_check(${table ? `'${table}'` : 1})`,
  );
  const text = String(found).replace(/\s+/g, ' ');
  return text === 'ok' ? undefined : text;
}

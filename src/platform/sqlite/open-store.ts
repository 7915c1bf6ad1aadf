import { TalonError } from '../../model/talon-error.ts';
import { damaged, type JournalDatabase, lockJournal, openForServer, placeOf, worded } from './journal-file.ts';
import { BadRow, forgetAlerts } from './journal-rows.ts';
import { JournalStore } from './journal-store.ts';
import type { ThreadStart } from './journal-thread.ts';

/** A journal that one server has, and nobody else. */
export interface OpenedStore {
  readonly database: JournalDatabase;
  readonly store: JournalStore;
  readonly nextSeq: number;
  /** Whether the files that were opened still have their names: what is written to others is lost. */
  readonly isInPlace: () => boolean;
  readonly close: () => void;
}

/**
 * Opens the file of a journal for a server and looks for damage.
 *
 * @throws TalonError('journal') with what is wrong and what to do
 */
export function openStore({ file, forget }: Pick<ThreadStart, 'file' | 'forget'>): OpenedStore {
  const lock = lockJournal(file);
  if (!lock) throw inUse(file);
  let database: JournalDatabase | undefined;
  const close = () => {
    if (database) closeWhole(database);
    lock.release();
  };
  try {
    database = openForServer(file);
    const opened = worded(file, () => readOpened(database as JournalDatabase, forget));
    return { ...opened, isInPlace: placeOf([file, `${file}-wal`]), close };
  } catch (error) {
    close();
    throw error instanceof BadRow ? damaged(file, error.message, error) : error;
  }
}

/** Reads all that a server needs at its start, so that it does not start with plans that it cannot resume. */
function readOpened(database: JournalDatabase, forget: readonly number[]): Omit<OpenedStore, 'close' | 'isInPlace'> {
  if (forget.length > 0) forgetAlerts(database, forget);
  const store = new JournalStore(database);
  const { plans, lastSeq } = store.readOpenPlans();
  for (const revision of new Set(plans.map(({ alert }) => alert.revision))) store.policy(revision);
  store.budgetsUsedSince(0);
  store.notices.check();
  return { database, store, nextSeq: lastSeq + 1 };
}

/** With everything in the file itself, where that can be: statements that are not collected yet keep SQLite from doing so. */
function closeWhole(database: JournalDatabase): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A full disk, or a damaged file: the log has it all.
  }
  database.close();
}

function inUse(file: string): TalonError {
  const advice = 'stop that one, or set `journal.path` to another file';
  return new TalonError('journal', `the journal ${file} is in use by another server: ${advice}`);
}

import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql';
import { TalonError } from '../../model/talon-error.ts';
import { type Found, openableCopy, readCopy } from './damaged-copy.ts';
import { createJournalFile, lockJournal, REPAIRED, syncFolder, worded } from './journal-file.ts';
import { rowSum } from './row-sum.ts';

export interface RepairReport {
  /** Where the damaged file is now; undefined when nothing was wrong and nothing was changed. */
  readonly damaged: string | undefined;
  readonly saved: {
    readonly plans: number;
    readonly entries: number;
    readonly policies: number;
    readonly notices: number;
  };
  /** Sentences about what could not be read. */
  readonly lost: readonly string[];
  /** Plans that were open, or may have been, and of which something may be missing: they wait for an operator. */
  readonly parked: readonly number[];
}

const PARKED_REASON = 'the journal was damaged: steps that had ended may be missing, so that a retry may repeat them';

/**
 * Writes all good rows of a damaged journal into a new file that takes its place; the damaged one is kept beside it. Nothing
 * is changed when nothing is wrong.
 *
 * @throws TalonError('journal') when a server uses it, it is not there, a later version wrote it, nothing in it is a journal's,
 * or the disk fails
 */
export function repairJournal(file: string, now: Date): RepairReport {
  return worded(file, () => {
    if (!existsSync(file)) throw new TalonError('journal', `there is no journal ${file}`);
    const lock = lockJournal(file);
    if (!lock) throw new TalonError('journal', `the journal ${file} is in use by a server: stop it first`);
    try {
      return repair(file, now);
    } finally {
      lock.release();
    }
  });
}

function repair(file: string, now: Date): RepairReport {
  // Another repair had come so far, and was ended.
  if (existsSync(`${file}${REPAIRED}`)) return { ...nothingLost(), damaged: exchange(file, now) };
  const copy = `${file}.repairing`;
  const unfinished = `${file}.new`;
  try {
    const copied = openableCopy(file, copy);
    const found = readCopy(file, copy, copied);
    if (copied.isReadable && found.isSound) return nothingLost();
    for (const each of [unfinished, `${unfinished}-journal`]) rmSync(each, { force: true });
    createJournalFile(unfinished);
    const report = write(unfinished, found, now.getTime());
    // From here on a repair that is ended in the middle is gone on with by the next one.
    renameSync(unfinished, `${file}${REPAIRED}`);
    syncFolder(path.dirname(file));
    return { ...report, damaged: exchange(file, now) };
  } finally {
    for (const each of ['', '-wal', '-shm']) rmSync(`${copy}${each}`, { force: true });
  }
}

function nothingLost(): RepairReport {
  return { damaged: undefined, saved: { plans: 0, entries: 0, policies: 0, notices: 0 }, lost: [], parked: [] };
}

/** Puts the repaired file in the place of the damaged one. @returns where that is now */
function exchange(file: string, now: Date): string {
  const kept = freeName(`${file}.damaged-${now.toISOString().replace(/\D/g, '').slice(0, 14)}`);
  try {
    linkSync(file, kept);
  } catch {
    // Not all file systems can give a file two names.
    copyFileSync(file, kept);
  }
  // The log belongs to the damaged file; beside the new one it would spoil that.
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${kept}-wal`);
  rmSync(`${file}-shm`, { force: true });
  renameSync(`${file}${REPAIRED}`, file);
  syncFolder(path.dirname(file));
  return kept;
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let number = 2; existsSync(name); number++) name = `${wanted}-${number}`;
  return name;
}

function write(target: string, found: Found, now: number): RepairReport {
  const { alerts, ends, entries, budgetUses, policies, notices } = found;
  const alertIds = new Set(alerts.rows.map(([id]) => id as number));
  const parked = plansToPark(found, alertIds);
  const ended = ends.rows.filter(([id]) => alertIds.has(id as number));
  const ofParked = parked.map((id) => [id, now, 'parked', PARKED_REASON, id]);
  const database = new Database(target);
  try {
    database.exec('PRAGMA synchronous = FULL');
    database.exec('BEGIN IMMEDIATE');
    const tables = { alert: alerts.rows, entry: entries.rows, ended: [...ended, ...ofParked] };
    const rest = { budget_use: budgetUses.rows, policy: policies.rows, notice: notices.rows };
    const facts = { fact: [['dropped', found.lastId]] };
    for (const [table, rows] of Object.entries({ ...tables, ...rest, ...facts })) {
      const places = '?, '.repeat(rows[0]?.length ?? 0);
      const insert = rows.length > 0 && database.prepare(`INSERT OR IGNORE INTO ${table} VALUES(${places}?)`);
      for (const row of rows) if (insert) insert.run([...row, rowSum(row)]);
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
  const counts = { entries: entries.rows.length, policies: policies.rows.length, notices: notices.rows.length };
  const saved = { plans: alertIds.size, ...counts };
  return { damaged: undefined, saved, lost: lostSentences(found, alertIds), parked };
}

/** Plans without a good end whose progress, or whose end itself, may be among what is missing. */
function plansToPark({ ends, entries }: Found, alertIds: ReadonlySet<number>): number[] {
  const ended = new Set(ends.rows.map(([id]) => id as number));
  const open = [...alertIds].filter((id) => !ended.has(id));
  if (!ends.isWhole || !entries.isWhole) return open;
  const incomplete = new Set([...ends.bad, ...entries.bad].map(Number));
  return open.filter((id) => incomplete.has(id));
}

function lostSentences(found: Found, alertIds: ReadonlySet<number>): string[] {
  const { alerts, ends, entries, budgetUses, policies, notices } = found;
  const known = [...ends.rows.map(([id]) => id as number), ...alerts.bad.map(Number)];
  const alertsGone = [...new Set(known)].filter((id) => !alertIds.has(id)).sort((a, b) => a - b);
  const sentences = [
    alertsGone.length > 0 && `alerts of ${counted(alertsGone.length, 'plan')}: ${idList(alertsGone)}`,
    !alerts.isWhole && 'perhaps other alerts: their table is not whole, and what fell out of it cannot be counted',
    entries.bad.length > 0 && `progress of ${counted(entries.bad.length, 'plan')}: ${idList(entries.bad)}`,
    !entries.isWhole && 'perhaps progress of other plans: its table is not whole',
    ends.bad.length > 0 && `how ${counted(ends.bad.length, 'plan')} ended: ${idList(ends.bad)}`,
    !ends.isWhole && 'perhaps how other plans ended: its table is not whole',
    (budgetUses.bad.length > 0 || !budgetUses.isWhole) &&
      'uses of budgets of guard policies: they may allow more than they should, for a day',
    notices.bad.length > 0 &&
      `${counted(notices.bad.length, 'notice')} that somebody was to get: ${idList(notices.bad)}`,
    !notices.isWhole && 'perhaps other notices: their table is not whole',
    policies.bad.length > 0 &&
      `rules and guards of ${counted(policies.bad.length, 'revision')}: ${policies.bad.join(', ')}`,
  ];
  return sentences.filter((sentence) => sentence !== false);
}

const LISTED = 20;

function idList(ids: readonly (string | number)[]): string {
  const rest = ids.length - LISTED;
  return `${ids.slice(0, LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

import { existsSync } from 'node:fs';
import type { AcceptedAlert, DatedProgress, PlanState, StoredPolicy } from '../../model/journal.ts';
import { TalonError } from '../../model/talon-error.ts';
import {
  damaged,
  formatOf,
  type JournalDatabase,
  lockJournal,
  openExisting,
  refuseDamagedLog,
  worded,
} from './journal-file.ts';
import {
  BadRow,
  checked,
  endedRow,
  endOf,
  entryRow,
  firstIdSince,
  openIds,
  type PlanEnd,
  type Row,
  readAlert,
  readEnd,
  readPolicy,
  readProgress,
} from './journal-rows.ts';
import { type NoticeRecord, NoticeRows, noticesAfter, noticesOfPlan, readNotice } from './notice-rows.ts';
import { WITH_NOTICES, wholeRow } from './schema.ts';

/** A plan as operators see it. */
export interface PlanRecord {
  readonly state: PlanState;
  readonly alert: AcceptedAlert;
  /** Absent while it is open. */
  readonly end?: PlanEnd;
}

export interface PlanFilter {
  /** None: all. */
  readonly states: readonly PlanState[];
  /** Milliseconds since 1970: those whose alert came in then or later. */
  readonly since: number;
}

/** Rows read at once. */
const PAGE = 256;

/** Those that may need somebody come first. */
const STATES_IN_ORDER: readonly (readonly Exclude<PlanState, 'open'>[])[] = [
  ['parked', 'failed', 'dead'],
  ['done', 'dropped'],
];

/** Looks at a log that no server writes. The lock is held for a moment only, lest a server that starts should find it taken. */
function refuseLogLeftBehind(file: string): void {
  if (!existsSync(`${file}-wal`)) return;
  const lock = lockJournal(file);
  lock?.release();
  if (lock) refuseDamagedLog(file);
}

/** The journal as operators work on it: beside a server, which notices what is changed, or without one. */
export class JournalDesk {
  readonly #file: string;
  readonly #database: JournalDatabase;
  readonly #policies = new Map<string, StoredPolicy | undefined>();

  /** @throws TalonError('journal') when there is no such file, or it is no journal, or it is damaged */
  constructor(file: string) {
    this.#file = file;
    refuseLogLeftBehind(file);
    this.#database = openExisting(file);
  }

  close(): void {
    this.#database.close();
  }

  /** Plans, newest first: the open ones, then those that ended otherwise than well, then the others. */
  *plans({ states, since }: PlanFilter): Generator<PlanRecord> {
    const first = this.#guarded(() => firstIdSince(this.#database, since));
    const wants = (state: PlanState) => states.length === 0 || states.includes(state);
    if (wants('open')) yield* this.#openPlans(first);
    for (const group of STATES_IN_ORDER) {
      const wanted = group.filter(wants);
      if (wanted.length > 0) yield* this.#endedPlans(wanted, first);
    }
  }

  *#openPlans(first: number): Generator<PlanRecord> {
    const ids = this.#guarded(() => openIds(this.#database));
    for (const id of ids.filter((each) => each >= first).reverse()) {
      const plan = this.plan(id);
      if (plan) yield plan;
    }
  }

  *#endedPlans(states: readonly PlanState[], first: number): Generator<PlanRecord> {
    const select = `SELECT ${wholeRow('ended')} FROM ended WHERE state IN (${states.map(() => '?').join()}) AND id >= ? AND id < ?
      ORDER BY id DESC LIMIT ${PAGE}`;
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      // A page at a time: an unfinished statement would keep the write-ahead log from being emptied.
      const page = this.#guarded(() =>
        this.#database
          .prepare(select)
          .raw()
          .all(...states, first, before),
      );
      if (page.length === 0) return;
      for (const row of page) {
        const end = this.#guarded(() => endOf(checked('ended', row as Row)));
        before = end.id;
        const alert = this.#guarded(() => readAlert(this.#database, end.id));
        if (alert) yield { state: end.state, alert, end };
      }
    }
  }

  plan(id: number): PlanRecord | undefined {
    return this.#guarded(() => {
      const alert = readAlert(this.#database, id);
      if (!alert) return undefined;
      const end = readEnd(this.#database, id);
      return end ? { state: end.state, alert, end } : { state: 'open', alert };
    });
  }

  progress(id: number): readonly DatedProgress[] {
    return this.#guarded(() => readProgress(this.#database, id).map(({ progress }) => progress));
  }

  policy(revision: string): StoredPolicy | undefined {
    if (!this.#policies.has(revision)) {
      this.#policies.set(
        revision,
        this.#guarded(() => readPolicy(this.#database, revision)),
      );
    }
    return this.#policies.get(revision);
  }

  /** Notices that wait or were given up, the oldest first; with `isDead` those that were given up alone. */
  *notices(isDead: boolean): Generator<NoticeRecord> {
    let after = 0;
    while (this.#hasNotices()) {
      const page = this.#guarded(() => noticesAfter(this.#database, after, isDead));
      yield* page;
      const last = page.at(-1);
      if (!last) return;
      after = last.id;
    }
  }

  noticesOf(plan: number): readonly NoticeRecord[] {
    return this.#hasNotices() ? this.#guarded(() => noticesOfPlan(this.#database, plan)) : [];
  }

  /** Lets notices be sent that were given up, all or none; a server takes them up within a second, or the next one at its start. */
  resend(ids: readonly number[], now: number): void {
    this.#transaction(() => {
      for (const id of ids) {
        const record = this.#hasNotices() ? readNotice(this.#database, id) : undefined;
        if (!record) throw refused(`there is no notice ${id} in ${this.#file}: it was sent, or never was`);
        if (record.state !== 'dead') throw refused(`notice ${id} waits for being sent as it is`);
        new NoticeRows(this.#database).resend(record, now);
      }
    });
  }

  /** A journal of an earlier version has none until a server has opened it. */
  #hasNotices(): boolean {
    return this.#guarded(() => formatOf(this.#database)) >= WITH_NOTICES;
  }

  /** Opens ended plans again, all or none, with `allow` past guards that only park them; a server takes them up within a second, or the next one at its start. */
  reopen(ids: readonly number[], now: number, allow = false): void {
    this.#transaction(() => {
      for (const id of ids) this.#reopen(id, now, allow);
    });
  }

  #reopen(id: number, now: number, allow: boolean): void {
    const { state } = this.#known(id);
    if (state === 'open') throw refused(`plan ${id} is open: it is being worked on, or waits`);
    if (state === 'done') throw refused(`plan ${id} is done: there is nothing to try again`);
    if (allow && state !== 'parked') throw refused(`plan ${id} is ${state}: only what is parked can be allowed`);
    const seq = (readProgress(this.#database, id).at(-1)?.seq ?? 0) + 1;
    const row = entryRow(id, seq, now, JSON.stringify({ kind: 'reopened', ...(allow && { allow }) }));
    this.#database.prepare('INSERT INTO entry VALUES(?, ?, ?, ?, ?, ?)').run(row);
    this.#database.prepare('DELETE FROM ended WHERE id = ?').run([id]);
    this.#database.prepare('INSERT OR IGNORE INTO reopened VALUES(?)').run([id]);
  }

  /** Gives plans up, all or none. Open ones only where no server works on them. */
  drop(ids: readonly number[], now: number): void {
    const lock = lockJournal(this.#file);
    try {
      this.#transaction(() => {
        for (const id of ids) this.#drop(id, now, lock !== undefined);
      });
    } finally {
      lock?.release();
    }
  }

  #drop(id: number, now: number, mayBeOpen: boolean): void {
    const { state, end } = this.#known(id);
    if (state === 'open' && !mayBeOpen) {
      throw refused(`plan ${id} is open and a server works on it: stop the server first, then drop the plan`);
    }
    if (state === 'done') throw refused(`plan ${id} is done: there is nothing to give up`);
    const reason = end ? `was ${state}${end.reason ? `: ${end.reason}` : ''}` : 'was open';
    const row = endedRow({ id, at: now, state: 'dropped', reason });
    if (state !== 'dropped') this.#database.prepare('INSERT OR REPLACE INTO ended VALUES(?, ?, ?, ?, ?, ?)').run(row);
  }

  #known(id: number): PlanRecord {
    const plan = this.plan(id);
    if (!plan) throw refused(`there is no plan ${id} in ${this.#file}`);
    return plan;
  }

  #transaction(act: () => void): void {
    this.#guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        act();
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guarded<Result>(act: () => Result): Result {
    return worded(this.#file, () => {
      try {
        return act();
      } catch (error) {
        throw error instanceof BadRow ? damaged(this.#file, error.message, error) : error;
      }
    });
  }
}

function refused(text: string): TalonError {
  return new TalonError('journal', text);
}

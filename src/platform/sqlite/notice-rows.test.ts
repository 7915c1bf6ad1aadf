import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { TalonError } from '../../model/talon-error.ts';
import { Housekeeping } from './housekeeping.ts';
import { JournalDesk } from './journal-desk.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import { repairJournal } from './repair.ts';
import {
  closeEntry,
  removeScratch,
  sampleAlert,
  sampleNotice,
  scratchFile,
  settledEntry,
  toldEntry,
  write,
} from './scratch-journal.ts';

const NOW = new Date('2026-03-01T10:00:00Z');
const HOUR = 3_600_000;
const opened: OpenedStore[] = [];

function open(file: string): OpenedStore {
  const store = openStore({ file, forget: [] });
  opened.push(store);
  return store;
}

afterEach(() => {
  for (const { database, close } of opened.splice(0)) if (database.open) close();
  removeScratch();
});

/** Three plans with a notice each. */
function scene() {
  const file = scratchFile();
  const { store, database, close } = open(file);
  for (const id of [1, 2, 3]) {
    write(store, [sampleAlert(id)], [toldEntry(id, id, [sampleNotice(id, id)]), closeEntry(id, 'done', id)]);
  }
  return { file, store, database, close };
}

const ids = (notices: readonly { readonly id: number }[]) => notices.map(({ id }) => id);

describe('notices', () => {
  it('wait from the end on that they tell of, and are all there after a restart', () => {
    const { file, store, close } = scene();
    const { notice, ...pending } = sampleNotice(2, 2);
    expect(store.openNotices()[1]).toEqual(pending);
    expect(store.notices.read(2)).toEqual({ ...pending, notice, state: 'pending' });
    close();
    const again = open(file).store;
    expect(ids(again.openNotices())).toEqual([1, 2, 3]);
    expect(again.notices.nextId()).toBe(4);
  });

  it('are gone once they are sent, dead when they were given up, and wait on in between', () => {
    const { store } = scene();
    const retry = { kind: 'retry', attempts: 2, nextAt: 77, error: 'slow\ndown' } as const;
    write(
      store,
      [],
      [
        settledEntry(1, { kind: 'sent' }),
        settledEntry(2, retry),
        settledEntry(3, { kind: 'dead', attempts: 1, error: 'no' }),
        settledEntry(4, { kind: 'dead', attempts: 1, error: 'not there' }),
      ],
    );
    const { notice: _, ...pending } = sampleNotice(2, 2, { attempts: 2, nextAt: 77 });
    expect(store.openNotices()).toEqual([pending]);
    expect(store.notices.read(1)).toBeUndefined();
    expect(store.notices.read(2)).toMatchObject({ error: 'slow\ndown', state: 'pending' });
    expect(store.notices.read(3)).toMatchObject({ error: 'no', state: 'dead', attempts: 1 });
  });

  it('of a row that is not what was written leave what became of it alone, and the batch goes through', () => {
    const { file, store, database, close } = scene();
    database.exec("UPDATE notice SET text = '{}' WHERE id = 2");
    expect(
      write(
        store,
        [],
        [settledEntry(2, { kind: 'dead', attempts: 1, error: 'no' }), settledEntry(3, { kind: 'sent' })],
      ),
    ).toEqual({
      ...{ alerts: true, entries: true, error: '' },
    });
    expect(ids(store.openNotices())).toEqual([1, 2]);
    close();
    expect(() => open(file)).toThrow('the row 2 of the table notice is not what was written');
  });

  it('that were given up go with their plan; those that wait outlive it', () => {
    const { store, database } = scene();
    write(store, [], [settledEntry(1, { kind: 'dead', attempts: 1, error: 'no' })]);
    const house = new Housekeeping(database, store, { retentionHours: 1, maxBytes: 2 ** 30 });
    const tidy = (now: number) => {
      while (house.piece(true, now));
    };
    tidy(sampleAlert(3).at + 2 * HOUR);
    expect(database.prepare('SELECT count(*) FROM alert').raw().get()).toEqual([0]);
    expect(ids(store.openNotices())).toEqual([2, 3]);
    expect(store.notices.read(1)).toBeUndefined();
    write(
      store,
      [sampleAlert(9, { at: sampleAlert(3).at + 2 * HOUR })],
      [settledEntry(2, { kind: 'dead', attempts: 1, error: 'no' })],
    );
    tidy(sampleAlert(3).at + 3 * HOUR);
    expect(store.notices.read(2)).toBeUndefined();
  });
});

describe('an operator', () => {
  it('sees what waits and what is dead, of all plans or of one', () => {
    const { file, store } = scene();
    write(store, [], [settledEntry(2, { kind: 'dead', attempts: 1, error: 'no' })]);
    const desk = new JournalDesk(file);
    expect(ids([...desk.notices(false)])).toEqual([1, 2, 3]);
    expect(ids([...desk.notices(true)])).toEqual([2]);
    expect(ids(desk.noticesOf(3))).toEqual([3]);
    desk.close();
  });

  it('lets dead ones be sent again, all that are named or none', () => {
    const { file, store } = scene();
    write(
      store,
      [],
      [1, 2].map((id) => settledEntry(id, { kind: 'dead', attempts: 1, error: 'no' })),
    );
    const desk = new JournalDesk(file);
    expect(() => desk.resend([1, 3], 55)).toThrow('notice 3 waits for being sent as it is');
    expect(() => desk.resend([1, 7], 55)).toThrow(/there is no notice 7 in .*: it was sent, or never was/);
    expect(ids([...desk.notices(true)])).toEqual([1, 2]);
    desk.resend([1], 55);
    desk.close();
    const { notice: _, ...pending } = sampleNotice(1, 1, { nextAt: 55 });
    expect(store.takeResent()).toEqual([pending]);
    expect(store.takeResent()).toEqual([]);
    expect(ids(store.openNotices())).toEqual([1, 3]);
  });

  it('has those sent by the next server that were marked while none ran', () => {
    const { file, store, close } = scene();
    write(store, [], [settledEntry(1, { kind: 'dead', attempts: 1, error: 'no' })]);
    close();
    const desk = new JournalDesk(file);
    desk.resend([1], 55);
    desk.close();
    const again = open(file).store;
    expect(ids(again.openNotices())).toEqual([1, 2, 3]);
    expect(again.takeResent()).toEqual([]);
  });
});

/** A journal as the first version wrote it, which had no notices. */
function firstVersion(): string {
  const { file, close } = scene();
  close();
  const database = new Database(file);
  database.exec('DROP INDEX notice_by_alert; DROP TABLE notice; PRAGMA user_version = 1');
  database.close();
  return file;
}

describe('a journal of the first version', () => {
  it('can be looked into as it is', () => {
    const desk = new JournalDesk(firstVersion());
    expect(desk.plan(2)?.state).toBe('done');
    expect([[...desk.notices(false)], desk.noticesOf(2)]).toEqual([[], []]);
    expect(() => desk.resend([1], 0)).toThrow('there is no notice 1');
    desk.close();
  });

  it('gets a place for notices when a server opens it, and keeps all that it has', () => {
    const file = firstVersion();
    const { store, close } = open(file);
    expect(store.readOpenPlans().plans).toEqual([]);
    expect(store.openNotices()).toEqual([]);
    write(store, [sampleAlert(4)], [toldEntry(4, 9, [sampleNotice(1, 4)])]);
    close();
    const again = open(file).store;
    expect(ids(again.openNotices())).toEqual([1]);
    expect(again.readOpenPlans().plans).toHaveLength(1);
  });

  it('is repaired like any other', () => {
    const file = firstVersion();
    expect(repairJournal(file, NOW)).toMatchObject({ damaged: undefined, lost: [] });
    const database = new Database(file);
    database.exec("UPDATE ended SET reason = 'x' WHERE id = 2");
    database.close();
    expect(repairJournal(file, NOW)).toMatchObject({ lost: ['how 1 plan ended: 2'], parked: [2] });
    expect(open(file).store.openNotices()).toEqual([]);
  });

  it('is refused where its tables are not those of its version', () => {
    const file = firstVersion();
    const database = new Database(file);
    database.exec('CREATE TABLE more(x)');
    database.close();
    expect(() => open(file)).toThrow(TalonError);
    expect(() => open(file)).toThrow('its tables are not those of a journal');
  });
});

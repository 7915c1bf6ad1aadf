import { existsSync, statSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClosedState } from '../../model/journal.ts';
import { Housekeeping } from './housekeeping.ts';
import { JournalDesk } from './journal-desk.ts';
import type { JournalStore } from './journal-store.ts';
import type { DroppedPlan } from './journal-thread.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import { Retention } from './retention.ts';
import {
  closeEntry,
  POLICY,
  progressEntry,
  REVISION,
  removeScratch,
  sampleAlert,
  scratchFile,
  write,
} from './scratch-journal.ts';

const HOUR = 3_600_000;
const opened: OpenedStore[] = [];

function scene(limits: { retentionHours?: number; maxBytes?: number } = {}) {
  const file = scratchFile();
  const store = openStore({ file, forget: [] });
  opened.push(store);
  const house = new Housekeeping(store.database, store.store, { retentionHours: 24, maxBytes: 2 ** 30, ...limits });
  const tidy = (isIdle: boolean, now: number) => {
    const dropped: DroppedPlan[] = [];
    for (let piece = house.piece(isIdle, now); piece; piece = house.piece(isIdle, now)) dropped.push(...piece);
    return dropped;
  };
  const left = () => store.database.prepare('SELECT id FROM alert ORDER BY id').raw().all().flat();
  return { file, ...store, tidy, left };
}

afterEach(() => {
  for (const { close } of opened.splice(0)) close();
  removeScratch();
});

describe('by age', () => {
  it('drops what ended too long ago, whatever its end, and says of which that matters', () => {
    const { store, database, tidy, left } = scene();
    const states: ClosedState[] = ['done', 'failed', 'parked', 'dead', 'dropped'];
    const alerts = Array.from({ length: 12 }, (_, index) => sampleAlert(index + 1, { at: index }));
    const old = states.map((state, index) => closeEntry(index + 1, state, 100));
    // Open: 6. Ended an hour before the limit: 7. Ended lately: 8.
    const others = [closeEntry(7, 'done', HOUR), closeEntry(8, 'failed', 20 * HOUR)];
    write(store, alerts.slice(0, 8), [...old, ...others, progressEntry(1, 1, { kind: 'reopened', at: 3 })]);
    const dropped = tidy(true, 24 * HOUR + 200);
    expect(dropped).toEqual([
      { id: 2, state: 'failed', because: 'age' },
      { id: 3, state: 'parked', because: 'age' },
      { id: 4, state: 'dead', because: 'age' },
    ]);
    expect(left()).toEqual([6, 7, 8]);
    expect(database.prepare('SELECT count(*) FROM entry').raw().get()).toEqual([0]);
  });

  it('goes through thousands of plans in pieces, and past those that ended late', () => {
    const { store, tidy, left } = scene();
    const ids = Array.from({ length: 2_000 }, (_, index) => index + 1);
    const late = (id: number) => id % 7 === 0;
    write(
      store,
      ids.map((id) => sampleAlert(id, { at: id })),
      ids.map((id) => closeEntry(id, 'done', late(id) ? 30 * HOUR : id)),
    );
    expect(tidy(true, 30 * HOUR)).toEqual([]);
    expect(left()).toEqual(ids.filter(late));
    tidy(true, 60 * HOUR);
    expect(left()).toEqual([]);
    expect(store.nextId()).toBe(2_001);
  });

  it('waits for a pause in the load', () => {
    const { store, tidy, left } = scene();
    write(store, [sampleAlert(1, { at: 1 })], [closeEntry(1, 'done', 1)]);
    tidy(false, 100 * HOUR);
    expect(left()).toEqual([1]);
  });
});

describe('by size', () => {
  it('drops the oldest ended plans, done ones first, under load as well; open ones never', () => {
    const { store, tidy, left } = scene({ maxBytes: 2 ** 21 });
    const ids = Array.from({ length: 600 }, (_, index) => index + 1);
    const state = (id: number): ClosedState => (id % 2 === 0 ? 'parked' : 'done');
    const alerts = ids.map((id) => sampleAlert(id, { body: Buffer.alloc(3_000, 'x') }));
    write(
      store,
      alerts,
      ids.filter((id) => id > 10).map((id) => closeEntry(id, state(id), 1)),
    );
    expect(tidy(false, HOUR)).toEqual([]);
    const first = left() as number[];
    expect(first.length).toBeLessThan(590);
    expect(first.slice(0, 11)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
    write(
      store,
      ids.map((id) => sampleAlert(600 + id, { body: Buffer.alloc(3_000, 'x') })),
      [],
    );
    const dropped = tidy(false, HOUR);
    expect(new Set(dropped.map(({ state, because }) => `${state} ${because}`))).toEqual(new Set(['parked size']));
    expect(left()).toEqual([...ids.slice(0, 10), ...ids.map((id) => 600 + id)]);
  });
});

it.each<[string, (retention: Retention) => unknown]>([
  ['age', (retention) => retention.dropForAge(100 * HOUR)],
  ['size', (retention) => retention.dropForSize()],
])('leaves a plan alone that an operator opens again just before its turn (%s)', (_, drop) => {
  const { file, store, database, left } = scene();
  const ids = [1, 2, 3];
  write(
    store,
    ids.map((id) => sampleAlert(id, { at: id })),
    ids.map((id) => closeEntry(id, 'failed', id)),
  );
  const desk = new JournalDesk(file);
  // He had the file first, and we waited for him.
  const waiting = {
    transaction: (act: () => unknown) => {
      desk.reopen([2], 5);
      return store.transaction(act);
    },
  };
  drop(new Retention(database, waiting as unknown as JournalStore, { retentionHours: 1, maxBytes: 1 }));
  desk.close();
  expect(left()).toEqual([2]);
  expect(store.takeReopened().plans.map(({ alert }) => alert.id)).toEqual([2]);
});

it('keeps policies for as long as a plan or the server needs them', () => {
  const { store, tidy } = scene();
  const keep = (revision: string) => write(store, [], [{ kind: 'policy', policy: { ...POLICY, revision } }]);
  const known = (...names: string[]) => names.filter((name) => store.policy(name));
  keep('a');
  write(store, [sampleAlert(1, { revision: 'a', at: 1 })], []);
  keep('b');
  write(store, [sampleAlert(2, { revision: 'b', at: 2 })], [closeEntry(2, 'done', 3)]);
  keep('c');
  keep('d');
  keep('e');
  write(store, [sampleAlert(3, { revision: 'e', at: 100 * HOUR })], []);
  tidy(true, 2 * HOUR);
  // d is the one before the newest: an alert of it may still be on its way.
  expect(known('a', 'b', 'c', 'd', 'e')).toEqual(['a', 'b', 'd', 'e']);
  write(store, [sampleAlert(4, { revision: 'e', at: 101 * HOUR })], [closeEntry(1, 'done', 2 * HOUR)]);
  tidy(true, 150 * HOUR);
  write(store, [sampleAlert(5, { revision: 'e', at: 151 * HOUR })], []);
  tidy(true, 151 * HOUR);
  expect(known('a', 'b', 'c', 'd', 'e')).toEqual(['d', 'e']);
  expect(store.policy(REVISION)).toBeUndefined();
});

it('knows after a crash which policies are in use', () => {
  const { file, store, tidy, close } = scene();
  write(store, [], [{ kind: 'policy', policy: { ...POLICY, revision: 'a' } }]);
  write(store, [sampleAlert(1, { revision: 'a', at: 1 })], []);
  tidy(true, 10);
  write(store, [sampleAlert(2, { revision: 'a', at: 2 })], [closeEntry(1, 'done', 3)]);
  close();
  opened.length = 0;
  const again = openStore({ file, forget: [] });
  opened.push(again);
  const house = new Housekeeping(again.database, again.store, { retentionHours: 24, maxBytes: 2 ** 30 });
  for (const revision of ['b', 'c']) write(again.store, [], [{ kind: 'policy', policy: { ...POLICY, revision } }]);
  while (house.piece(true, 50 * HOUR));
  write(again.store, [sampleAlert(3, { revision: 'c', at: 51 * HOUR })], []);
  while (house.piece(true, 51 * HOUR));
  expect(again.store.readOpenPlans().plans.map(({ alert }) => alert.id)).toEqual([2, 3]);
  expect(again.store.policy('a')).toBeDefined();
});

it('empties the log when nothing is written for a while, but not while somebody reads', () => {
  const { file, store, tidy } = scene();
  write(store, [sampleAlert(1)], []);
  const desk = new JournalDesk(file);
  const reading = desk.plans({ states: [], since: 0 });
  expect(reading.next().value?.alert.id).toBe(1);
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
  tidy(false, 1);
  expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
  tidy(true, 2);
  expect(statSync(`${file}-wal`).size).toBe(0);
  reading.return(undefined);
  desk.close();
  expect(existsSync(file)).toBe(true);
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import { workerStart } from '../../cli/worker-file.ts';
import { openJournal } from './journal.ts';
import { single } from './journal-file.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import {
  accepted,
  closeEntry,
  progressEntry,
  removeScratch,
  sampleAlert,
  scratchFile,
  write,
} from './scratch-journal.ts';

const opened: OpenedStore[] = [];

function open(file = scratchFile()): OpenedStore {
  const store = openStore({ file, forget: [] });
  opened.push(store);
  return store;
}

afterEach(() => {
  for (const { close } of opened.splice(0)) close();
  removeScratch();
});

const started = (at: number) => ({ kind: 'started', step: 0, attempt: 1, at }) as const;

describe('a transaction that fails', () => {
  it('leaves nothing of its alerts, and the next one is written', () => {
    const { database, store } = open();
    const pages = Number(single(database, 'PRAGMA page_count'));
    database.exec(`PRAGMA max_page_count = ${pages + 6}`);
    const large = Array.from({ length: 40 }, (_, index) => sampleAlert(index + 1, { body: Buffer.alloc(3_000) }));
    expect(write(store, large, [])).toEqual({ alerts: false, entries: false, error: 'database or disk is full' });
    expect(store.readOpenPlans().plans).toEqual([]);
    expect(write(store, [sampleAlert(41)], [])).toMatchObject({ alerts: true });
    database.exec('PRAGMA max_page_count = 1000000');
    expect(write(store, large, [])).toMatchObject({ alerts: true });
    expect(store.readOpenPlans().plans).toHaveLength(41);
    expect(single(database, 'PRAGMA integrity_check')).toBe('ok');
  });

  it('writes the entries alone where they find room', () => {
    const { database, store } = open();
    write(store, [sampleAlert(1)], []);
    database.exec(`PRAGMA max_page_count = ${single(database, 'PRAGMA page_count')}`);
    const tooMuch = [sampleAlert(2, { body: Buffer.alloc(100_000) })];
    expect(write(store, tooMuch, [progressEntry(1, 1, started(5))])).toEqual({
      alerts: false,
      entries: true,
      error: 'database or disk is full',
    });
    expect(store.readOpenPlans().plans).toMatchObject([{ alert: { id: 1 }, progress: [started(5)] }]);
  });

  it('writes an entry once, however often it is tried', () => {
    const { store } = open();
    write(store, [sampleAlert(1)], [progressEntry(1, 7, started(5))]);
    write(store, [], [progressEntry(1, 7, started(5))]);
    expect(store.readOpenPlans().plans[0]?.progress).toEqual([started(5)]);
  });
});

it('never gives a number twice, even when no row has it any more', () => {
  const file = scratchFile();
  const first = open(file);
  write(first.store, [sampleAlert(41)], [closeEntry(41, 'done', 1)]);
  expect(first.store.nextId()).toBe(42);
});

/** A file system of a few hundred kilobytes; only root may have one. */
function tinyDisk(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
  return status === 0 ? folder : undefined;
}

describe('a full disk', () => {
  const disk = tinyDisk();
  afterEach(() => {
    if (disk) spawnSync('umount', ['-l', disk]);
  });

  it.runIf(disk)('refuses alerts, says so, and goes on by itself when there is room again', async () => {
    const file = path.join(disk as string, 'journal.db');
    const filler = path.join(disk as string, 'filler');
    const options = { file, worker: workerStart('journal'), retentionHours: 1_000_000, maxBytes: 2 ** 30 };
    const journal = await openJournal({ ...options, maxWaitingBytes: 2 ** 20 });
    const health: boolean[] = [];
    journal.onHealth((writable) => health.push(writable));
    writeFileSync(filler, Buffer.alloc(1_200_000));
    const kept: number[] = [];
    let refused = 0;
    while (refused < 3) {
      const alert = sampleAlert(journal.newId(), { body: Buffer.alloc(20_000, 'x') });
      if (await accepted(journal, alert)) kept.push(alert.id);
      else refused++;
    }
    expect(kept.length).toBeGreaterThan(1);
    expect(health.at(-1)).toBe(false);
    // Full for the smallest of entries as well.
    spawnSync('dd', ['if=/dev/zero', `of=${filler}-2`, 'bs=512'], { stdio: 'ignore' });
    const size = statSync(`${file}-wal`).size;
    const appends = Array.from({ length: 60 }, () =>
      journal.append(kept[0] as number, { kind: 'retrying', step: 0, attempt: 1, error: 'x'.repeat(3_000) }),
    );
    let written = 0;
    for (const each of appends) void each.then(() => written++);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect({ written, size: statSync(`${file}-wal`).size }).toEqual({ written: 0, size });
    rmSync(filler);
    rmSync(`${filler}-2`);
    await Promise.all(appends);
    await expect.poll(() => health.at(-1)).toBe(true);
    const plans = await journal.openPlans();
    expect(plans.map(({ alert }) => alert.id)).toEqual(kept);
    expect(plans[0]?.progress).toHaveLength(60);
    await journal.end();
    const again = open(file);
    expect(again.store.readOpenPlans().plans).toHaveLength(kept.length);
    again.close();
    opened.length = 0;
  });
});

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { JournalDesk } from './journal-desk.ts';
import { isLogDamaged } from './log-damage.ts';
import { readLogFrames } from './log-frames.ts';
import { openStore } from './open-store.ts';
import { repairJournal } from './repair.ts';
import { POLICY, removeScratch, sampleAlert, scratchFile, write } from './scratch-journal.ts';

const NOW = new Date('2026-03-01T10:00:00Z');
const PLANS = 30;

afterAll(removeScratch);

/** What a killed server leaves: nearly everything is in the log alone. */
function writeKilled(): string {
  const file = scratchFile();
  const { store, close } = openStore({ file, forget: [] });
  write(store, [], [{ kind: 'policy', policy: POLICY }]);
  for (let id = 1; id <= PLANS; id++) write(store, [sampleAlert(id, { body: Buffer.alloc(3_000, `body ${id} `) })], []);
  const copy = copyOf(file, readFileSync(`${file}-wal`));
  close();
  return copy;
}

/** The files of a journal, with this log. */
function copyOf(file: string, log: Buffer): string {
  const copy = scratchFile();
  mkdirSync(path.dirname(copy), { mode: 0o700 });
  copyFileSync(file, copy);
  writeFileSync(`${copy}-wal`, log, { mode: 0o600 });
  return copy;
}

/** Plans that a server would go on with, or why it does not start. */
function plansOf(file: string): number | string {
  try {
    const { store, close } = openStore({ file, forget: [] });
    const { plans } = store.readOpenPlans();
    close();
    return plans.length;
  } catch (error) {
    return (error as Error).message;
  }
}

const killed = writeKilled();
const log = readFileSync(`${killed}-wal`);

describe('a log that a killed server left', () => {
  it('is read frame by frame', () => {
    const frames = readLogFrames(`${killed}-wal`);
    expect(frames.every(({ isGood }) => isGood)).toBe(true);
    expect(frames.filter(({ isCommit }) => isCommit)).toHaveLength(PLANS + 1);
    expect(isLogDamaged(`${killed}-wal`)).toBe(false);
    expect(plansOf(copyOf(killed, log))).toBe(PLANS);
  });

  it('is no damage where it ends too early: a crash does that to a transaction that nobody was told of', () => {
    const lastTransaction = log.length - 4_000;
    expect(plansOf(copyOf(killed, log.subarray(0, lastTransaction)))).toBe(PLANS - 1);
  });

  it('is no damage where frames of an earlier time follow', () => {
    const stale = Buffer.from(log.subarray(32));
    for (let at = 8; at < stale.length; at += 4_096 + 24) stale.fill(0x11, at, at + 8);
    expect(plansOf(copyOf(killed, Buffer.concat([log, stale])))).toBe(PLANS);
  });

  it('is refused for any damage in the middle, and repaired without a loss that is not told', () => {
    const places = fc.integer({ min: 0, max: log.length - 40_000 });
    const damages = fc.record({ place: places, length: fc.constantFrom(1, 8, 4_096) });
    fc.assert(
      fc.property(damages, ({ place, length }) => {
        const damagedLog = Buffer.from(log);
        for (let at = place; at < place + length; at++) damagedLog[at] = (damagedLog[at] ?? 0) ^ 0x5a;
        const file = copyOf(killed, damagedLog);
        const outcome = plansOf(file);
        // Bytes that no checksum covers, in the head of the log, change nothing.
        if (outcome === PLANS) return;
        expect(outcome).toContain('its log is damaged in the middle');
        expect(() => new JournalDesk(file)).toThrow('its log is damaged in the middle');
        const { saved, lost } = repairJournal(file, NOW);
        if (lost.length === 0) expect(saved.plans).toBe(PLANS);
        const found = plansOf(file);
        expect(found).toBeTypeOf('number');
      }),
      { numRuns: 40, examples: [[{ place: 0, length: 32 }], [{ place: 16, length: 1 }], [{ place: 50, length: 1 }]] },
    );
  });
});

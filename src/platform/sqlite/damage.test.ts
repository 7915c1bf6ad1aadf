import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { TalonError } from '../../model/talon-error.ts';
import { JournalDesk } from './journal-desk.ts';
import { openStore } from './open-store.ts';
import { repairJournal } from './repair.ts';
import {
  closeEntry,
  POLICY,
  progressEntry,
  removeScratch,
  sampleAlert,
  sampleNotice,
  scratchFile,
  settledEntry,
  toldEntry,
  write,
} from './scratch-journal.ts';

const NOW = new Date('2026-03-01T10:00:00Z');
const PLANS = 60;
const isOpen = (id: number) => id % 6 === 0;

afterAll(removeScratch);

/** A journal of sixty plans, of which ten are open, with three entries each; twenty notices wait, ten are dead. */
function writeSample(file: string): void {
  const { store, close } = openStore({ file, forget: [] });
  write(store, [], [{ kind: 'policy', policy: POLICY }]);
  for (let id = 1; id <= PLANS; id++) {
    // Some are larger than a page.
    const body = Buffer.alloc(id % 5 === 0 ? 9_000 : 700, `body ${id} `);
    const end = { status: 'success', output: `labelled ${id}`, objects: { pod: 'web' } } as const;
    const entries = [
      progressEntry(id, 2 * id, { kind: 'started', step: 0, attempt: 1, at: id }),
      progressEntry(id, 2 * id + 1, { kind: 'ended', step: 0, end, at: id }),
      progressEntry(id, 2 * id + 2, { kind: 'reserved', step: 1, budgets: [`b${id % 3}`], at: id }),
    ];
    write(store, [sampleAlert(id, { body })], isOpen(id) ? entries : [...entries, closeEntry(id, 'done', id)]);
    if (id % 2 === 0) write(store, [], [toldEntry(id, 2 * id + 1, [sampleNotice(id, id)])]);
    if (id % 6 === 0) write(store, [], [settledEntry(id, { kind: 'dead', attempts: 1, error: 'refused' })]);
  }
  close();
}

/** What a server resumes and what it guards by, as comparable text. */
function stateOf(file: string) {
  const { store, close } = openStore({ file, forget: [] });
  try {
    const { plans } = store.readOpenPlans();
    const text = ({ alert, progress }: (typeof plans)[number]) =>
      JSON.stringify([{ ...alert, body: Buffer.from(alert.body).toString('base64') }, progress]);
    return {
      plans: new Map(plans.map((plan) => [plan.alert.id, text(plan)])),
      budgets: JSON.stringify(store.budgetsUsedSince(0)),
      notices: new Map(store.openNotices().map(({ id }) => [id, JSON.stringify(store.notices.read(id))])),
    };
  } finally {
    close();
  }
}

const sample = scratchFile();
writeSample(sample);
const whole = stateOf(sample);
const bytes = readFileSync(sample);

/** A copy of the sample, spoiled. */
function spoiledCopy(spoil: (content: Buffer) => Buffer): string {
  const file = scratchFile();
  mkdirSync(path.dirname(file), { mode: 0o700 });
  writeFileSync(file, spoil(Buffer.from(bytes)), { mode: 0o600 });
  return file;
}

/** The reason why a server does not start, or undefined. Anything else but a clear refusal is thrown on. */
function refusalOf(file: string): string | undefined {
  try {
    expect(stateOf(file)).toEqual(whole);
    return undefined;
  } catch (error) {
    if (error instanceof TalonError) return error.message;
    throw error;
  }
}

/** After a repair: all good rows, and nothing that was never written. */
function expectRepaired(file: string): void {
  const before = readFileSync(file);
  let report: ReturnType<typeof repairJournal>;
  try {
    report = repairJournal(file, NOW);
  } catch (error) {
    expect(error).toBeInstanceOf(TalonError);
    expect((error as Error).message).toContain('can be read as a journal');
    expect(readFileSync(file).equals(before)).toBe(true);
    return;
  }
  expect(readFileSync(report.damaged as string).equals(before)).toBe(true);
  const { plans, notices } = stateOf(file);
  for (const [id, text] of plans) expect(text).toBe(whole.plans.get(id));
  for (const [id, text] of notices) expect(text).toBe(whole.notices.get(id));
  if (notices.size < whole.notices.size) expect(report.lost.join()).toMatch(/notice/);
  const desk = new JournalDesk(file);
  const states = new Map(Array.from({ length: PLANS }, (_, index) => [index + 1, desk.plan(index + 1)?.state]));
  desk.close();
  for (const [id, state] of states) {
    const parked = report.parked.includes(id);
    const expected = parked ? 'parked' : isOpen(id) ? 'open' : 'done';
    if (state !== undefined) expect([id, state]).toEqual([id, expected]);
    else expect(report.lost.join()).toMatch(/alerts/);
  }
  expect(readdirSync(path.dirname(file)).filter((name) => /repair|\.new/.test(name))).toEqual([]);
}

/** The first page, with the names of the tables, and texts are where damage has shapes of its own. */
const anywhere = fc.oneof(fc.nat(bytes.length - 1), fc.nat(4_095), fc.integer({ min: 100, max: 1_600 }));

describe('a journal with flipped bits', () => {
  it('is refused with a word about what to do, or all that matters is as it was; a repair saves the rest', () => {
    let refused = 0;
    fc.assert(
      fc.property(anywhere, fc.integer({ min: 1, max: 255 }), (offset, bits) => {
        const file = spoiledCopy((content) => {
          content[offset] = (content[offset] as number) ^ bits;
          return content;
        });
        const refusal = refusalOf(file);
        if (refusal === undefined) return;
        refused++;
        expect(refusal).toContain(file);
        expect(refusal).toMatch(/talon journal repair|later version/);
        if (!refusal.includes('later version')) expectRepaired(file);
      }),
      // A format that SQLite does not know, which it calls by no code of its own.
      { numRuns: 60, examples: [[47, 1]] },
    );
    expect(refused).toBeGreaterThan(5);
  });

  it('is repaired where its first page is nonsense', () => {
    for (const [from, to] of [
      [0, 100],
      [100, 4_096],
      [0, 4_096],
    ]) {
      const file = spoiledCopy((content) => content.fill(0xa5, from, to));
      expect(refusalOf(file)).toContain('talon journal repair');
      expect(repairJournal(file, NOW)).toMatchObject({ saved: { plans: PLANS }, parked: [] });
      expect(stateOf(file)).toEqual(whole);
    }
  });

  it('is refused for what a notice says, which a repair leaves out', () => {
    const file = spoiledCopy((content) => content);
    const database = new Database(file);
    database.exec("UPDATE notice SET text = replace(text, 'labelled', 'labellef') WHERE id IN (4, 6)");
    database.close();
    expect(refusalOf(file)).toMatch(/is damaged \(the row 4 of the table notice is not what was written\)/);
    expect(repairJournal(file, NOW)).toMatchObject({
      ...{ lost: ['2 notices that somebody was to get: 4, 6'], parked: [] },
      saved: { plans: PLANS, notices: 28 },
    });
    expect([...stateOf(file).notices.keys()].slice(0, 3)).toEqual([2, 8, 10]);
  });

  it('parks open plans whose progress may have gone', () => {
    const file = spoiledCopy((content) => content);
    const database = new Database(file);
    database.exec("UPDATE entry SET progress = replace(progress, 'ended', 'endef') WHERE alert IN (6, 7)");
    database.close();
    expect(refusalOf(file)).toMatch(/is damaged \(the row 6 of the table entry is not what was written\)/);
    expect(repairJournal(file, NOW)).toMatchObject({ lost: ['progress of 2 plans: 6, 7'], parked: [6] });
    const { plans } = stateOf(file);
    expect([...plans.keys()]).toEqual([12, 18, 24, 30, 36, 42, 48, 54, 60]);
  });
});

describe('a truncated journal', () => {
  it('is refused with a word about what to do; a repair saves the rest', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (size) => {
        const file = spoiledCopy((content) => content.subarray(0, size));
        expect(refusalOf(file)).toMatch(/talon journal repair/);
        expectRepaired(file);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a torn log', () => {
  it('loses at most what was never acknowledged as a whole', () => {
    const file = scratchFile();
    const { store, database } = openStore({ file, forget: [] });
    database.exec('PRAGMA wal_autocheckpoint = 0');
    for (let id = 1; id <= 20; id++) write(store, [sampleAlert(id)], []);
    const wal = readFileSync(`${file}-wal`);
    fc.assert(
      fc.property(fc.nat(wal.length), (size) => {
        const torn = scratchFile();
        mkdirSync(path.dirname(torn));
        copyFileSync(file, torn);
        writeFileSync(`${torn}-wal`, wal.subarray(0, size));
        const ids = [...stateOf(torn).plans.keys()];
        expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
        if (size === wal.length) expect(ids).toHaveLength(20);
      }),
      { numRuns: 15 },
    );
    database.close();
  });
});

describe('repair', () => {
  it('changes nothing where nothing is wrong', () => {
    const file = spoiledCopy((content) => content);
    const expected = { damaged: undefined, lost: [], parked: [] };
    expect(repairJournal(file, NOW)).toMatchObject(expected);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('leaves alone what is no journal', () => {
    const file = spoiledCopy(() => Buffer.from('a text of somebody '.repeat(1_000)));
    expect(() => repairJournal(file, NOW)).toThrow(/nothing in .* can be read as a journal: nothing was changed/);
    expect(readFileSync(file, 'utf8')).toContain('a text of somebody');
    expect(() => repairJournal(`${file}-none`, NOW)).toThrow(`there is no journal ${file}-none`);
  });

  it('is refused while a server runs', () => {
    const file = spoiledCopy((content) => content);
    const { close } = openStore({ file, forget: [] });
    expect(() => repairJournal(file, NOW)).toThrow(`the journal ${file} is in use by a server: stop it first`);
    close();
  });

  it('is gone on with where it was ended just before its last step', () => {
    const file = spoiledCopy((content) => content.fill(0xa5, 0, 100));
    repairJournal(file, NOW);
    // As it was between the two names.
    copyFileSync(file, `${file}.repaired`);
    truncateSync(file, 5_000);
    expect(refusalOf(file)).toContain('a repair of it was not finished');
    repairJournal(file, NOW);
    expect(existsSync(`${file}.repaired`)).toBe(false);
    expect(stateOf(file)).toEqual(whole);
  });
});

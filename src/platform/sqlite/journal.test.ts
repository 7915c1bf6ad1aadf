import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import Database from 'libsql';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Journal } from '../../model/journal.ts';
import { createRedactor } from '../../model/redact.ts';
import { type JournalNotice, type JournalOptions, openJournal } from './journal.ts';
import { JournalDesk } from './journal-desk.ts';
import {
  accepted,
  POLICY,
  REVISION,
  removeScratch,
  sampleAlert,
  sampleNotice,
  scratchFile,
} from './scratch-journal.ts';

/** The thread as the build has it, which starts faster than from its source. */
const { outputFiles } = await build({
  entryPoints: [path.join(import.meta.dirname, 'journal-worker.ts')],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  external: ['libsql'],
});
const THREAD = outputFiles[0]?.text ?? '';

const opened: Journal[] = [];

async function open(file: string, more: Partial<JournalOptions> = {}): Promise<Journal> {
  const sizes = { retentionHours: 1_000_000, maxBytes: 2 ** 30, maxWaitingBytes: 2 ** 20 };
  const journal = await openJournal({ file, worker: { script: THREAD, eval: true }, ...sizes, ...more });
  opened.push(journal);
  return journal;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.end()));
  removeScratch();
});

describe('what is recorded', () => {
  it('is there again after the journal was closed, and open plans alone are gone on with', async () => {
    const file = scratchFile();
    const first = await open(file);
    await first.keepPolicy(POLICY);
    const [one, two] = [sampleAlert(first.newId()), sampleAlert(first.newId(), { rules: [0, 7], key: 'ü "' })];
    expect(await Promise.all([accepted(first, one), accepted(first, two)])).toEqual([true, true]);
    await first.append(two.id, { kind: 'started', step: 0, attempt: 1 });
    const answer = { name: 'web', labels: ['a', null, 1.5] };
    await first.append(two.id, { kind: 'answered', step: 0, call: 'c', door: 'pods.label', answer });
    await first.close(one.id, { state: 'done', reason: '' });
    await first.end();

    const again = await open(file);
    const plans = await again.openPlans();
    expect(plans.map(({ alert }) => ({ ...alert, body: Buffer.from(alert.body) }))).toEqual([two]);
    expect(plans[0]?.progress).toEqual([
      { kind: 'started', step: 0, attempt: 1, at: expect.any(Number) },
      { kind: 'answered', step: 0, call: 'c', door: 'pods.label', answer, at: expect.any(Number) },
    ]);
    expect(await again.policy(REVISION)).toEqual(POLICY);
    expect(await again.policy('sha256:other')).toBeUndefined();
    expect(again.newId()).toBe(3);
    expect(await again.acceptedSince(one.at + 1)).toEqual([{ key: 'ü "', at: two.at }]);
    expect(await again.acceptedSince(0)).toHaveLength(2);
  });

  it('is in order for each plan, however many are written at once', async () => {
    const journal = await open(scratchFile());
    const ids = Array.from({ length: 300 }, () => journal.newId());
    const body = Buffer.alloc(2_000, 'x');
    expect(new Set(await Promise.all(ids.map((id) => accepted(journal, sampleAlert(id, { body })))))).toEqual(
      new Set([true]),
    );
    const attempts = Array.from({ length: 20 }, (_, attempt) => attempt);
    await Promise.all(
      attempts.flatMap((attempt) => ids.map((id) => journal.append(id, { kind: 'started', step: 0, attempt }))),
    );
    for (const { progress } of await journal.openPlans()) {
      expect(progress.map((each) => each.kind === 'started' && each.attempt)).toEqual(attempts);
    }
  });

  it('has each budget of a step once, as of when it was taken last', async () => {
    const journal = await open(scratchFile());
    const before = Date.now();
    await journal.append(1, { kind: 'reserved', step: 2, budgets: ['per pod|web', 'all'] });
    await journal.append(1, { kind: 'reserved', step: 2, budgets: ['all'] });
    const renewed = Date.now() + 5;
    await expect.poll(() => Date.now()).toBeGreaterThan(renewed);
    await journal.append(1, { kind: 'reserved', step: 2, budgets: ['all'] });
    expect((await journal.budgetsUsedSince(renewed)).map(({ key }) => key)).toEqual(['all']);
    const uses = await journal.budgetsUsedSince(before);
    expect(uses.map(({ key, alert, step }) => [key, alert, step]).sort()).toEqual([
      ['all', 1, 2],
      ['per pod|web', 1, 2],
    ]);
    expect(await journal.budgetsUsedSince(Date.now() + 1)).toEqual([]);
  });

  it('holds no secret in the texts about an outcome; answers of doors are as they were', async () => {
    const journal = await open(scratchFile(), { redact: createRedactor(['hunter22']) });
    await accepted(journal, sampleAlert(1));
    const end = { status: 'failure', code: 'bug', error: 'GET /?t=hunter22', objects: { pod: 'x-hunter22' } } as const;
    await journal.append(1, { kind: 'ended', step: 0, end });
    await journal.append(1, { kind: 'retrying', step: 0, attempt: 1, error: 'hunter22' });
    await journal.append(1, { kind: 'answered', step: 0, call: 'c', door: 'd', answer: 'hunter22' });
    const [plan] = await journal.openPlans();
    expect(plan?.progress).toMatchObject([
      { end: { error: 'GET /?t=***', objects: { pod: 'x-***' } } },
      { error: '***' },
      { answer: 'hunter22' },
    ]);
    await journal.close(1, { state: 'failed', reason: 'because of hunter22' });
    await journal.end();
  });

  it('keeps what plans go on by, though a secret reads the same', async () => {
    const journal = await open(scratchFile(), { redact: createRedactor(['failure', 'not-found']) });
    await accepted(journal, sampleAlert(1));
    const end = { status: 'failure', code: 'not-found', error: 'a failure', objects: {} } as const;
    await journal.append(1, { kind: 'ended', step: 0, end });
    const [plan] = await journal.openPlans();
    expect(plan?.progress).toMatchObject([{ end: { ...end, error: 'a ***' } }]);
    await journal.end();
  });

  it('holds no secret in what is told of an artifact, which is itself as it was', async () => {
    const journal = await open(scratchFile(), { redact: createRedactor(['hunter22']) });
    await accepted(journal, sampleAlert(1));
    const artifact = { handle: 'hunter22', name: 'x', size: 1, sha256: 'y', mediaType: 'text/plain' };
    const outcome = { status: 'success', output: 'hunter22', objects: {}, artifact } as const;
    await journal.append(1, { kind: 'acted', step: 0, outcome, made: 5 });
    const stored = { output: 'aws:s3', outcome: { ...outcome, status: 'success' }, artifact } as const;
    await journal.append(1, { kind: 'ended', step: 0, end: outcome, stored });
    const [plan] = await journal.openPlans();
    const kept = { ...outcome, output: '***' };
    expect(plan?.progress).toMatchObject([{ outcome: kept }, { end: kept, stored: { outcome: kept, artifact } }]);
    await journal.end();
  });

  it('ends a plan with its last progress', async () => {
    const file = scratchFile();
    const journal = await open(file);
    await accepted(journal, sampleAlert(1));
    const end = { status: 'success', output: '', objects: {} } as const;
    await journal.append(1, { kind: 'ended', step: 0, end }, { state: 'done', reason: '' });
    expect(await journal.openPlans()).toEqual([]);
    await journal.end();
  });

  it('can be read by its owner alone', async () => {
    const file = scratchFile();
    const journal = await open(file);
    await accepted(journal, sampleAlert(1));
    const mode = (each: string) => (statSync(each).mode & 0o777).toString(8);
    expect(mode(path.dirname(file))).toBe('700');
    expect([file, `${file}-wal`, `${file}-shm`, `${file}.lock`].map(mode)).toEqual(['600', '600', '600', '600']);
  });
});

it('takes no more alerts at once than may wait', async () => {
  const journal = await open(scratchFile(), { maxWaitingBytes: 10_000 });
  expect([journal.hasRoom(10_000), journal.hasRoom(10_001)]).toEqual([true, false]);
  const stored = accepted(journal, sampleAlert(1, { body: Buffer.alloc(8_000) }));
  expect([journal.hasRoom(1_500), journal.hasRoom(2_001)]).toEqual([true, false]);
  expect(await stored).toBe(true);
  expect(journal.hasRoom(10_000)).toBe(true);
});

it('says no to everything once it is closed, after it has written what it had', async () => {
  const file = scratchFile();
  const journal = await open(file);
  const stored = accepted(journal, sampleAlert(1));
  const appended = journal.append(1, { kind: 'started', step: 0, attempt: 1 });
  await journal.end();
  expect(await stored).toBe(true);
  await appended;
  expect(await accepted(journal, sampleAlert(2))).toBe(false);
  await expect(journal.append(1, { kind: 'started', step: 0, attempt: 2 })).rejects.toThrow('the journal is closed');
});

describe('files that are refused', () => {
  const reasonOf = (file: string) =>
    open(file).then(
      () => 'opened',
      (error: Error) => error.message,
    );

  it('one that another server uses', async () => {
    const file = scratchFile();
    const journal = await open(file);
    expect(await reasonOf(file)).toBe(
      `the journal ${file} is in use by another server: stop that one, or set \`journal.path\` to another file`,
    );
    await journal.end();
    await open(file);
  });

  it('one of a later version, of another program, and an empty one', async () => {
    const file = scratchFile();
    await (await open(file)).end();
    const database = new Database(file);
    database.exec('PRAGMA user_version = 3');
    database.close();
    expect(await reasonOf(file)).toContain(`${file} was written by a later version of Talon (format 3)`);
    writeFileSync(file, 'something else entirely, and long enough to have a header '.repeat(10));
    expect(await reasonOf(file)).toContain(`${file} is not a journal of Talon`);
    rmSync(file);
    const foreign = new Database(file);
    foreign.exec('CREATE TABLE notes(text TEXT)');
    foreign.close();
    expect(await reasonOf(file)).toContain(`${file} is not a journal of Talon`);
    truncateSync(file);
    expect(await reasonOf(file)).toContain(`${file} is damaged (it is empty): run \`talon journal repair`);
  });

  it('one that is gone while its log is there', async () => {
    const file = scratchFile();
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}-wal`, 'x');
    expect(await reasonOf(file)).toContain(`${file} is missing, but ${file}-wal, which belongs to it, is there`);
    expect(existsSync(file)).toBe(false);
  });

  it('one that cannot be', async () => {
    const file = scratchFile();
    writeFileSync(path.dirname(file), 'a file, not a folder');
    expect(await reasonOf(file)).toContain(`the journal ${file} cannot be used`);
  });
});

it('replaces its thread when that ends, and loses nothing that it said was stored', async () => {
  const file = scratchFile();
  const trigger = `${path.dirname(file)}-end`;
  const ending = `setInterval(() => { const fs = require('node:fs'); if (fs.existsSync(${JSON.stringify(trigger)})) { fs.rmSync(${JSON.stringify(trigger)}); process.exit(1); } }, 5).unref();`;
  const journal = await open(file, { worker: { script: `${ending}${THREAD}`, eval: true } });
  const health: (readonly [boolean, string])[] = [];
  journal.onHealth((writable, reason) => health.push([writable, reason]));
  expect(await accepted(journal, sampleAlert(1))).toBe(true);
  writeFileSync(trigger, '');
  await expect.poll(() => health).toHaveLength(1);
  expect(await accepted(journal, sampleAlert(2))).toBe(false);
  await journal.append(1, { kind: 'started', step: 0, attempt: 1 });
  expect(await accepted(journal, sampleAlert(3))).toBe(true);
  expect(health).toEqual([
    [false, 'the thread of the journal ended'],
    [true, ''],
  ]);
  const plans = await journal.openPlans();
  expect(plans.map(({ alert, progress }) => [alert.id, progress.length])).toEqual([
    [1, 1],
    [3, 0],
  ]);
});

it('tells of plans that another process opens again, within a second', async () => {
  const file = scratchFile();
  const journal = await open(file);
  await accepted(journal, sampleAlert(journal.newId()));
  await journal.append(1, { kind: 'ended', step: 0, end: { status: 'parked', policy: 'p', reason: 'r', objects: {} } });
  await journal.close(1, { state: 'parked', reason: 'a budget is spent' });
  // A clock that goes slower where the machine is busy.
  let now = 0;
  const clock = setInterval(() => now++, 100);
  onTestFinished(() => clearInterval(clock));
  const told = new Promise<{ kinds: string[]; at: number }>((resolve) => {
    journal.onReopened(({ progress }) => resolve({ kinds: progress.map(({ kind }) => kind), at: now }));
  });
  expect(await journal.openPlans()).toEqual([]);
  const cli = path.join(import.meta.dirname, '../../cli/bin.ts');
  const args = ['--import', import.meta.resolve('tsx'), cli, 'journal', 'retry', '1', '--journal', file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  let printedAt = 0;
  child.stdout.on('data', (chunk) => {
    printed += chunk;
    printedAt = now;
  });
  const [{ kinds, at }] = await Promise.all([told, new Promise((resolve) => child.on('close', resolve))]);
  expect(printed).toBe('reopened plan 1\n');
  expect(kinds).toEqual(['ended', 'reopened']);
  expect(at - printedAt).toBeLessThan(10);
  await journal.append(1, { kind: 'started', step: 0, attempt: 2 });
  const [plan] = await journal.openPlans();
  expect(plan?.progress.map(({ kind }) => kind)).toEqual(['ended', 'reopened', 'started']);
});

it('has notices from the end that they tell of until they are sent, and tells of those that operators want sent again', async () => {
  const file = scratchFile();
  const journal = await open(file);
  await accepted(journal, sampleAlert(1));
  const told: number[] = [];
  journal.onResent((notices) => told.push(...notices.map(({ id }) => id)));
  const notices = ['slack', 'loki'].map((notifier) => sampleNotice(journal.newNoticeId(), 1, { notifier }));
  const end = { status: 'success', output: '', objects: {} } as const;
  await journal.append(1, { kind: 'ended', step: 0, end }, { state: 'done', reason: '' }, notices);
  expect((await journal.openNotices()).map(({ id, notifier }) => [id, notifier])).toEqual([
    [1, 'slack'],
    [2, 'loki'],
  ]);
  expect(await journal.notice(2)).toMatchObject(notices[1] as object);
  await journal.settleNotice(1, { kind: 'sent' });
  await journal.settleNotice(2, { kind: 'dead', attempts: 1, error: 'refused' });
  expect([await journal.openNotices(), await journal.notice(1)]).toEqual([[], undefined]);
  const desk = new JournalDesk(file);
  desk.resend([2], 5);
  desk.close();
  await expect.poll(() => told, { timeout: 5_000 }).toEqual([2]);
  await journal.settleNotice(2, { kind: 'dead', attempts: 1, error: 'refused' });
  await journal.end();
  const later = new JournalDesk(file);
  later.resend([2], 5);
  later.close();
  const again = await open(file);
  again.onResent((resent) => told.push(...resent.map(({ id }) => id)));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await again.openNotices()).map(({ id }) => id)).toEqual([2]);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toEqual([2]);
  expect(again.newNoticeId()).toBe(3);
});

it('has what was opened again while no server ran among the open plans', async () => {
  const file = scratchFile();
  const first = await open(file);
  await accepted(first, sampleAlert(1));
  await first.close(1, { state: 'failed', reason: '' });
  await first.end();
  const desk = new JournalDesk(file);
  desk.reopen([1], 5);
  desk.close();
  const journal = await open(file);
  const told: number[] = [];
  journal.onReopened(({ alert }) => told.push(alert.id));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await journal.openPlans()).map(({ alert }) => alert.id)).toEqual([1]);
  await journal.append(1, { kind: 'started', step: 0, attempt: 1 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(told).toEqual([]);
});

it('numbers what happens to a plan on, that was opened again while the server started', async () => {
  const file = scratchFile();
  const first = await open(file);
  await accepted(first, sampleAlert(1));
  for (const attempt of [1, 2, 3]) await first.append(1, { kind: 'started', step: 0, attempt });
  await first.close(1, { state: 'failed', reason: '' });
  await first.end();
  const journal = await open(file);
  const desk = new JournalDesk(file);
  desk.reopen([1], 5);
  desk.close();
  await journal.openPlans();
  await journal.append(1, { kind: 'retrying', step: 0, attempt: 3, error: '' });
  const [plan] = await journal.openPlans();
  expect(plan?.progress.map(({ kind }) => kind)).toEqual(['started', 'started', 'started', 'reopened', 'retrying']);
});

it('tidies up although a plan that was opened again cannot be read, and says so once', async () => {
  const file = scratchFile();
  const notices: JournalNotice[] = [];
  const journal = await open(file, { maxBytes: 300_000, onNotice: (notice) => notices.push(notice) });
  await journal.openPlans();
  const body = Buffer.alloc(50_000, 'x');
  for (let id = 1; id <= 3; id++) {
    await accepted(journal, sampleAlert(id, { body }));
    await journal.close(id, { state: 'failed', reason: '' });
  }
  const database = new Database(file);
  database.exec("UPDATE alert SET key = 'another' WHERE id = 1");
  database.exec('INSERT INTO reopened VALUES(1)');
  database.close();
  await expect.poll(() => notices).toHaveLength(1);
  expect(notices[0]).toMatchObject({ kind: 'trouble', text: expect.stringContaining('row 1 of the table alert') });
  for (let id = 4; id <= 8; id++) {
    await accepted(journal, sampleAlert(id, { body }));
    await journal.close(id, { state: 'failed', reason: '' });
  }
  await expect.poll(() => notices.at(-1)).toMatchObject({ kind: 'dropped' });
  expect(notices.filter(({ kind }) => kind === 'trouble')).toHaveLength(1);
});

describe('a file that is gone while the server runs', () => {
  it.each([
    ['', 'removed'],
    ['-wal', 'removed'],
    ['', 'replaced'],
  ])('journal.db%s, %s: takes nothing for stored', async (which, how) => {
    const file = scratchFile();
    const journal = await open(file);
    const health: (readonly [boolean, string])[] = [];
    journal.onHealth((writable, reason) => health.push([writable, reason]));
    expect(await accepted(journal, sampleAlert(1))).toBe(true);
    const gone = `${file}${which}`;
    renameSync(gone, `${gone}.old`);
    if (how === 'replaced') copyFileSync(`${gone}.old`, gone);
    expect(await accepted(journal, sampleAlert(2))).toBe(false);
    expect(health).toEqual([[false, expect.stringContaining('it was moved, removed or replaced')]]);
    expect(health[0]?.[1]).toContain(file);
    const entry = journal.append(1, { kind: 'started', step: 0, attempt: 1 });
    renameSync(`${gone}.old`, gone);
    await entry;
    expect(await accepted(journal, sampleAlert(3))).toBe(true);
    expect((await journal.openPlans()).map(({ alert }) => alert.id)).toEqual([1, 3]);
    await journal.end();
    const again = await open(file);
    expect((await again.openPlans()).map(({ alert }) => alert.id)).toEqual([1, 3]);
  });
});

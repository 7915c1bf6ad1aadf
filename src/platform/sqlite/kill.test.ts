import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { childProgram } from '../../../tools/child-program.ts';
import { JournalDesk } from './journal-desk.ts';
import { openStore } from './open-store.ts';
import { removeScratch, sampleAlert, scratchFile } from './scratch-journal.ts';

const KILLS = 5;

const OPENED = `
import { openSync, writeSync } from 'node:fs';
import { openJournal } from './journal.ts';
import { workerStart } from '../../cli/worker-file.ts';
const file = process.env.JOURNAL;
const journal = await openJournal({ file, worker: workerStart('journal'), retentionHours: 1e6, maxBytes: 2 ** 30, maxWaitingBytes: 2 ** 22 });
const said = openSync(process.env.SAID, 'a');
const say = (line) => writeSync(said, line + '\\n');
`;

/** Accepts alerts, records steps and ends plans, sixteen side by side, and says of each what is on disk by then. */
const WORK = `
import { sampleAlert } from './scratch-journal.ts';
${OPENED}
async function work() {
  for (;;) {
    const id = journal.newId();
    if (!(await new Promise((resolve) => journal.accept(sampleAlert(id), resolve)))) throw new Error('refused');
    say('accepted ' + id);
    const end = { status: 'success', output: String(id), objects: {} };
    await journal.append(id, { kind: 'ended', step: 0, end });
    say('ended ' + id);
    if (id % 2 === 0) continue;
    await journal.close(id, { state: 'done', reason: '' });
    say('closed ' + id);
  }
}
await Promise.all(Array.from({ length: 16 }, work));
`;

/**
 * Records ends of steps with what is to be told of them, sixteen side by side, and has that sent to somebody who says what they
 * get, and every tenth time that they cannot. Says of each notice when it is on disk. Without `MORE` it sends what is left.
 */
const TELLING = `
import { Notices } from '../../runtime/notices/notices.ts';
import { NOTIFIERS, noticed } from '../../runtime/notices/notices-sample.ts';
${OPENED}
let tries = 0;
const send = async ({ notice }) => {
  say('got ' + notice.output);
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (tries++ % 10 === 9) return { status: 'failure', code: 'busy', error: 'not now', objects: {} };
  return { status: 'success', output: '', objects: {} };
};
const notices = new Notices({
  executor: { send }, notifiers: NOTIFIERS, settings: {}, defaults: ['a'], journal,
  telemetry: { emit: (told) => say(told.outcome + ' ' + told.notice.output), accepted: () => undefined },
  limits: { attempts: 1000, maxPending: 100000, perMinute: 0 }, includeLogs: true, now: Date.now, random: () => 0.001,
});
await notices.resume();
async function work() {
  for (;;) {
    const id = journal.newId();
    const end = { status: 'success', output: process.pid + '-' + id, objects: {} };
    const told = notices.of({ ...noticed(), alert: id }, { kind: 'action', end });
    await journal.append(id, { kind: 'ended', step: 0, end }, undefined, told);
    say('recorded ' + end.output);
    notices.post(told);
    while (notices.pending()[0][1] > 20) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
if (process.env.MORE) await Promise.all(Array.from({ length: 16 }, work));
while (notices.pending().some(([, waiting]) => waiting > 0)) await new Promise((resolve) => setTimeout(resolve, 20));
await notices.stop(1000);
await journal.end();
`;

const working = childProgram(WORK, import.meta.dirname);
const telling = childProgram(TELLING, import.meta.dirname);

const linesOf = (said: string) => (existsSync(said) ? readFileSync(said, 'utf8').split('\n') : []);

function startWork(work: string, file: string, said: string, more = '1'): ChildProcess {
  const env = { ...process.env, JOURNAL: file, SAID: said, MORE: more };
  return spawn(process.execPath, [work], { stdio: ['ignore', 'inherit', 'inherit'], env });
}

/** Starts the work and kills it once it has said so much more. What it says it writes into a file, which takes it whatever comes. */
async function killedWork(work: string, file: string, said: string, lines: number): Promise<void> {
  const child = startWork(work, file, said);
  const closed = new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
  const enough = linesOf(said).length + lines;
  const look = setInterval(() => {
    if (linesOf(said).length >= enough) child.kill('SIGKILL');
  }, 3);
  const signal = await closed;
  clearInterval(look);
  expect(signal).toBe('SIGKILL');
}

afterAll(removeScratch);

it('has everything that it said was on disk, whole and once, however often the process is killed', async () => {
  const file = scratchFile();
  const log = `${path.dirname(path.dirname(file))}/said`;
  for (let kill = 0; kill < KILLS; kill++) await killedWork(working, file, log, 10 + 150 * kill);
  const said = linesOf(log);
  const ids = (what: string) => said.flatMap((line) => (line.startsWith(what) ? [Number(line.split(' ')[1])] : []));
  const [accepted, ended, closed] = [ids('accepted'), ids('ended'), ids('closed')];
  expect(accepted.length).toBeGreaterThan(50);
  expect(new Set(accepted).size).toBe(accepted.length);

  // A damaged row, or one twice, would be refused here.
  openStore({ file, forget: [] }).close();
  const desk = new JournalDesk(file);
  for (const id of accepted) {
    const plan = desk.plan(id);
    expect(plan && { ...plan.alert, body: Buffer.from(plan.alert.body) }).toEqual(sampleAlert(id));
  }
  for (const id of ended) {
    const end = { status: 'success', output: String(id), objects: {} };
    expect(desk.progress(id)).toEqual([{ kind: 'ended', step: 0, end, at: expect.any(Number) }]);
  }
  for (const id of closed) expect(desk.plan(id)?.state).toBe('done');
  desk.close();
});

it('sends every notice that was recorded, and hardly any twice, however often the process is killed', async () => {
  const file = scratchFile();
  const log = `${path.dirname(path.dirname(file))}/said`;
  for (let kill = 0; kill < 3; kill++) await killedWork(telling, file, log, 20 + 30 * kill);
  const left = startWork(telling, file, log, '');
  expect(await new Promise((resolve) => left.on('close', resolve))).toBe(0);
  const said = linesOf(log);
  const those = (what: string) => said.flatMap((line) => (line.startsWith(`${what} `) ? [line.split(' ')[1]] : []));
  const [recorded, got, retried, sent] = [those('recorded'), those('got'), those('retrying'), those('sent')];
  expect(recorded.length).toBeGreaterThan(20);
  expect([...new Set(recorded)].filter((each) => !got.includes(each))).toEqual([]);
  expect(new Set(sent).size).toBe(sent.length);
  // What was on its way, or not recorded as sent, when the process was killed.
  expect(got.length - retried.length - new Set(got).size).toBeLessThanOrEqual(4 * 3);

  const { store, close } = openStore({ file, forget: [] });
  expect(store.openNotices()).toEqual([]);
  close();
});

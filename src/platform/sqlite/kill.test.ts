import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { JournalDesk } from './journal-desk.ts';
import { openStore } from './open-store.ts';
import { removeScratch, sampleAlert, scratchFile } from './scratch-journal.ts';

const KILLS = 5;

const url = (file: string) => JSON.stringify(pathToFileURL(path.join(import.meta.dirname, file)).href);

/** Accepts alerts, records steps and ends plans, sixteen side by side, and says of each what is on disk by then. */
const WORK = `
import { openSync, writeSync } from 'node:fs';
const { openJournal } = await import(${url('journal.ts')});
const { workerStart } = await import(${url('../../cli/worker-file.ts')});
const { sampleAlert } = await import(${url('scratch-journal.ts')});
const file = process.env.JOURNAL;
const journal = await openJournal({ file, worker: workerStart('journal'), retentionHours: 1e6, maxBytes: 2 ** 30, maxWaitingBytes: 2 ** 22 });
const said = openSync(process.env.SAID, 'a');
const say = (line) => writeSync(said, line + '\\n');
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

const linesOf = (said: string) => (existsSync(said) ? readFileSync(said, 'utf8').split('\n') : []);

/** Starts the work and kills it once it has said so much more. What it says it writes into a file, which takes it whatever comes. */
async function killedWork(file: string, said: string, lines: number): Promise<void> {
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', WORK];
  const env = { ...process.env, JOURNAL: file, SAID: said };
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
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
  for (let kill = 0; kill < KILLS; kill++) await killedWork(file, log, 10 + 150 * kill);
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

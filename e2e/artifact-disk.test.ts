import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { SmallDisk } from './small-disk.ts';
import type { LogLine, Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const MIB = 2 ** 20;
const DISK = 48 * MIB;
/** What artifacts leave to the journal. */
const KEPT_FREE = 16 * MIB;
const BIG = 10 * MIB;
/** Alerts whose artifacts are bigger than the disk together. */
const CROWD = 12;
/** Alerts with nothing to keep, meanwhile. */
const OTHERS = 100;

const disk = await SmallDisk.make(DISK);
if (typeof disk === 'string') console.log(`e2e: skipped the tests of artifacts on a full disk: ${disk}`);

describe.skipIf(typeof disk === 'string')('artifacts on a disk that is small', () => {
  const small = disk as SmallDisk;
  const source = usePeer(startRecorder);
  let scratch: string;
  let home: TalonHome;
  let talon: Talon;
  let watch: NodeJS.Timeout | undefined;

  beforeAll(() => {
    scratch = makeScratch();
  });
  afterEach(async () => {
    clearInterval(watch);
    await talon?.stop();
    home?.remove();
    small.empty();
  });
  afterAll(async () => {
    removeScratch(scratch);
    await small.remove();
  });

  it('leave the journal its room: those that find none fail, all else goes on', async () => {
    const destination = join(scratch, 'kept');
    mkdirSync(destination);
    await start(destination, {
      env: { JOURNAL_PATH: join(small.folder, 'journal.db') },
      settings: { spool: { min_free_bytes: KEPT_FREE }, max_running_plans: 2 * CROWD },
    });
    const gathered = gathering(CROWD);
    const least = leastFree();
    let made = 0;
    source().reply(async ({ target }) => {
      if (target !== '/big') return { status: 200 };
      await gathered();
      made += 1;
      return { status: 200, body: String(made).padEnd(BIG, '.') };
    });
    const big = await Promise.all(Array.from({ length: CROWD }, (_, number) => talon.post(alert('big', number))));
    // Each must be answered with 200.
    const others = await Promise.all(Array.from({ length: OTHERS }, (_, number) => talon.post(alert('small', number))));
    const ends = await Promise.all(big.map((trace) => endOf(trace)));
    for (const trace of others) expect(await endOf(trace)).toMatchObject({ status: 'success' });
    const stored = ends.filter(({ status }) => status === 'success');
    const failed = ends.filter(({ status }) => status === 'failure');
    console.log(
      `e2e: ${CROWD} artifacts of ${BIG / MIB} MiB at once on ${DISK / MIB} MiB: ${stored.length} stored, ${failed.length} failed ` +
        `('${failed[0]?.error}'), never fewer than ${(least() / MIB).toFixed(1)} MiB free, all ${OTHERS} others done`,
    );
    expect(stored.length).toBeGreaterThan(0);
    expect(failed.length).toBeGreaterThan(0);
    for (const { error } of failed) expect(error).toMatch(/^the disk of the spool has \d+ bytes left/);
    expect(readdirSync(destination)).toHaveLength(stored.length);
    await untilSpoolIsEmpty(join(small.outside, 'spool'));

    // One alone finds room, and one that is bigger than all the room does not.
    expect(await endOf(await talon.post(alert('big', CROWD)))).toMatchObject({ status: 'success' });
    source().reply(() => ({ status: 200, body: 'x'.repeat(DISK) }));
    expect(await endOf(await talon.post(alert('big', CROWD + 1)))).toMatchObject({ status: 'failure' });
    await untilSpoolIsEmpty(join(small.outside, 'spool'));
    expect((await talon.readiness()).status).toBe(200);
  }, 40_000);

  it('wait for room in the folder where they are kept, and fail where there is none to come', async () => {
    const folder = join(small.folder, 'kept');
    const outside = join(small.outside, 'kept');
    mkdirSync(outside);
    await start(folder, { settings: { retry: { attempts: 1, backoff_milliseconds: 200 } } });
    let made = 0;
    // Each another one: of two that are the same, made within one second, the folder keeps one.
    source().reply(() => ({ status: 200, body: `${made++}`.padEnd(9 * MIB, '.') }));
    small.fill(2 * MIB);
    const calls = source().requests.length;
    const first = await talon.post(alert('big', 1));
    const output = await talon.line({ message: 'output', trace_id: first, status: 'failure' });
    expect(output.error).toBe(`the disk of the folder '${folder}' is full`);
    expect(readdirSync(outside)).toEqual([]);
    await untilSpoolIsEmpty(join(home.folder, 'state', 'spool'));

    const second = await talon.post(alert('big', 2));
    await talon.line({ trace_id: second, status: 'retrying' });
    small.empty();
    expect(await endOf(second)).toMatchObject({ status: 'success' });
    expect(source().requests).toHaveLength(calls + 2);

    const [plan] = await home.plans('failed');
    expect(await home.journal('retry', String(plan?.id))).toMatchObject({ code: 0 });
    await talon.line({ message: 'output', trace_id: first, status: 'success' });
    expect(source().requests).toHaveLength(calls + 3);
    const kept = readdirSync(outside).map((name) => readFileSync(join(outside, name)).length);
    expect(kept).toEqual([9 * MIB, 9 * MIB]);
    await untilSpoolIsEmpty(join(home.folder, 'state', 'spool'));
  }, 40_000);

  async function start(destination: string, more: object): Promise<void> {
    const url = source().url;
    const acting = (name: string, action: object) => ({
      rule: name,
      match: { rules: [name] },
      actions: [{ action: name, actionner: 'webhook:call', ...action }],
    });
    const output = { target: 'local:file', parameters: { destination } };
    const rules = [
      acting('big', { parameters: { url: `${url}/big` }, output }),
      acting('small', { parameters: { url: `${url}/small` } }),
    ];
    home = await TalonHome.make({ rules: JSON.stringify(rules), within: small.within, ...more });
    talon = await home.start();
  }

  const alert = (rule: string, number: number) =>
    alertBody({ rule, output: `${rule} ${number}`, hostname: `node-${number}`, fields: { text: 'x'.repeat(20_000) } });

  /** The last line about an artifact, or about an action that makes none. */
  async function endOf(trace: string): Promise<LogLine> {
    const isEnd = ({ event = '', message, status }: LogLine) =>
      status === 'failure' || (status === 'success' && (message === 'output' || event.startsWith('small')));
    return waitUntil('the end of an action', () => talon.about(trace).find(isEnd), {
      timeout: 30_000,
      describe: () => JSON.stringify(talon.about(trace), null, 1),
    });
  }

  async function untilSpoolIsEmpty(folder: string): Promise<void> {
    await waitUntil('the spool to be empty', () => readdirSync(folder).length === 0);
  }

  /** Watches the room on the disk. */
  function leastFree(): () => number {
    let least = small.freeBytes();
    watch = setInterval(() => {
      least = Math.min(least, small.freeBytes());
    }, 5);
    return () => least;
  }
});

/** Lets nobody go on before so many are there, and afterwards everybody. */
function gathering(count: number): () => Promise<void> {
  let missing = count;
  let open: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing <= 0) open();
    return opened;
  };
}

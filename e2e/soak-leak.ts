/**
 * `npm run soak:leak -- --waves 12 --alerts 250`: one server under waves of alerts whose actions call endpoints, fetch logs, run
 * commands, store what they made and tell three notifiers. After each wave it is looked what the server holds; in the end
 * that must have levelled off. Needs the build. The last line is the verdict; the exit code is 1 when something did not hold.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { podAlert } from './alert.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { median } from './percentile.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { SoakApi } from './soak-api.ts';
import { SoakReceivers } from './soak-receivers.ts';
import { TalonHome } from './talon-home.ts';

const { values: flags } = parseArgs({
  options: { waves: { type: 'string', default: '12' }, alerts: { type: 'string', default: '250' } },
});
const WAVES = Number(flags.waves);
const ALERTS = Number(flags.alerts);
const MIB = 2 ** 20;
const PODS = 40;
const SENDERS = 8;
/** Milliseconds after a wave for connections and garbage. */
const REST = 4_000;
const JOURNAL_BYTES = 4 * MIB;
/** What may be more in the last third of the waves than in the second one. */
const GROWTH = { memory: 16 * MIB, files: 6, threads: 2 };

/** What the server holds after a wave. */
interface Held {
  readonly memory: number;
  readonly files: number;
  readonly threads: number;
  readonly spooled: number;
  readonly journal: number;
}

const api = new SoakApi();
api.isMoody = false;
const receivers = new SoakReceivers();
const scratch = makeScratch();
const faults: string[] = [];
await receivers.start();
const home = await TalonHome.make({
  rules: rules(),
  kubeconfig: await api.start(),
  settings: { ...receivers.settings, journal: { max_bytes: JOURNAL_BYTES } },
});
const talon = await home.start();
try {
  const held: Held[] = [];
  for (let wave = 0; wave < WAVES; wave += 1) {
    await send(wave);
    await untilQuiet();
    await sleep(REST);
    held.push(now());
    tell(wave, held.at(-1)!);
  }
  judge(held);
  if ((await talon.stop('TERM')) !== 0) faults.push('the server did not end well');
} finally {
  await talon.stop('KILL');
  await Promise.all([api.stop(), receivers.stop()]);
  home.remove();
  removeScratch(scratch);
}
for (const fault of faults.slice(0, 50)) console.log(`soak: ${fault}`);
console.log(`soak: ${faults.length === 0 ? 'levels off' : 'FAILED'}`);
process.exitCode = faults.length === 0 ? 0 : 1;

function rules(): string {
  const url = `http://${receivers.endpoint}/call`;
  const inFile = { output: { target: 'local:file', parameters: { destination: scratch } } };
  const inBucket = { output: { target: 'minio:s3', parameters: { bucket: 'store' } } };
  const call = { action: 'Call', actionner: 'webhook:call', parameters: { url } };
  const log = { action: 'Fetch', actionner: 'kubernetes:log', parameters: { tail_lines: 1000 } };
  const exec = { action: 'Run', actionner: 'kubernetes:exec', parameters: { command: 'id' } };
  const plans = [
    [{ ...call, ...inBucket }],
    [{ ...log, ...inFile }],
    [exec],
    [{ ...log, ...inBucket }, { ...exec }, { ...call, ...inFile }],
  ];
  return JSON.stringify(
    plans.map((actions, number) => ({ rule: `Plan ${number}`, match: { rules: [`plan ${number}`] }, actions })),
  );
}

async function send(wave: number): Promise<void> {
  const numbers = Array.from({ length: ALERTS }, (_, number) => number);
  const sender = async () => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      await talon.post(podAlert(`plan ${number % 4}`, 'soak', `pod-${(wave + number) % PODS}`));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

/** Waits until nothing is to be done, and nobody to be told. */
async function untilQuiet(): Promise<void> {
  await home.untilDone(120_000);
  const noneWaits = async () => (await home.notices()).length === 0;
  await waitUntil('the notices to be sent', noneWaits, { timeout: 120_000, interval: 500 });
}

function now(): Held {
  const process = `/proc/${talon.pid()}`;
  const state = join(home.folder, 'state');
  const sizes = readdirSync(state).filter((name) => name.startsWith('journal.db'));
  return {
    memory: talon.residentBytes(),
    files: readdirSync(`${process}/fd`).length,
    threads: readdirSync(`${process}/task`).length,
    spooled: readdirSync(join(state, 'spool')).length,
    journal: sizes.reduce((sum, name) => sum + statSync(join(state, name)).size, 0),
  };
}

function tell(wave: number, { memory, files, threads, spooled, journal }: Held): void {
  console.log(
    `soak: after ${(wave + 1) * ALERTS} alerts: ${(memory / MIB).toFixed(0)} MiB, ${files} files open, ${threads} threads, ` +
      `${spooled} artifacts in the spool, journal ${(journal / MIB).toFixed(1)} MiB`,
  );
}

function judge(held: readonly Held[]): void {
  const third = Math.max(1, Math.floor(WAVES / 3));
  for (const key of ['memory', 'files', 'threads'] as const) {
    const before = median(held.slice(-2 * third, -third).map((each) => each[key]));
    const after = median(held.slice(-third).map((each) => each[key]));
    if (after - before > GROWTH[key]) faults.push(`${key} grow: ${before}, then ${after}`);
  }
  if (held.some(({ spooled }) => spooled > 0)) faults.push('artifacts stay in the spool');
  const largest = Math.max(...held.map(({ journal }) => journal));
  if (largest > 3 * JOURNAL_BYTES) faults.push(`the journal grew to ${largest} bytes`);
  const failed = talon.lines.filter(({ status, level }) => status === 'failure' || level === 'fatal');
  faults.push(...failed.map((line) => JSON.stringify(line)));
  const { call, store, slack, loki, webhook } = receivers.counts;
  console.log(
    `soak: ${WAVES * ALERTS} alerts, ${call} calls, ${store} stored in the bucket, ${readdirSync(scratch).length} files; ` +
      `notices: ${slack} Slack, ${loki} Loki, ${webhook} webhook about ${receivers.told.size} alerts; ${api.requests} API requests`,
  );
  if (receivers.told.size !== WAVES * ALERTS) faults.push('some were never told');
}

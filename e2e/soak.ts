/**
 * `npm run soak -- --minutes 20`: a server under mixed load that is killed, ended and started again at random moments, with an
 * API server that fails at random, and is down now and then as the receivers of notices are. At the end everything that was
 * answered 200 must have been done: in the order of its pod, what may be repeated only where something had come between, what
 * must not be, never; its artifact kept, once; and the receivers told of it. Needs the build. The last line is the verdict;
 * the exit code is 1 when something did not hold.
 */
import { randomInt } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { alertBody } from './alert.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { type NumberedAlert, numberedAlert, numberedRules, stepName, stepsInFlight } from './numbered-alerts.ts';
import { WITH_PLUGINS } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { SoakApi, type Written } from './soak-api.ts';
import { evidenceFaults, keepAction } from './soak-evidence.ts';
import { SoakReceivers } from './soak-receivers.ts';
import { sendAlert, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
const END = performance.now() + Number(flags.minutes) * 60_000;

const SENDERS = 12;
/** Alerts about one pod, whose name is not used again. */
const PER_POD = 10;
const REPEATED = ['first', 'second'];
const ONCE = 'once';
/** Of the senders whose connection breaks so many give up; the others send the same alert again. */
const GIVE_UP = 1 / 4;
/** Of the alerts so many are sent twice at once. */
const TWICE = 1 / 5;

const api = new SoakApi();
const receivers = new SoakReceivers();
await receivers.start();
const evidence = makeScratch();
const alerts = new Map<string, NumberedAlert>();
const answered: NumberedAlert[] = [];
/** Steps that were under way when the server was ended. */
const inFlight = new Map<string, number>();
const seen = { kills: 0, ends: 0, outages: 0, refused: 0, noise: 0, peak: 0 };
const faults: string[] = [];

const home = await TalonHome.make({
  rules: rulesWithOnce(),
  kubeconfig: await api.start(),
  settings: {
    deduplication: { leader_election: false, time_window_seconds: 3_600 },
    retry: { attempts: 100, backoff_milliseconds: 20 },
    shutdown_grace_seconds: 2,
    ...receivers.settings,
    // Each plan has five ends to tell of: with all three there are more notices than two cores send, and the oldest are dropped.
    default_notifiers: ['webhook'],
    notifications: { max_pending: 1_000_000 },
  },
  program: WITH_PLUGINS,
});

const server: { talon: Talon } = { talon: await home.start() };

try {
  const background = [turmoil(), noise(), weather(), ...Array.from({ length: SENDERS }, (_, sender) => send(sender))];
  await Promise.all(background);
  await settle();
  await judge();
} finally {
  await server.talon.stop('KILL');
  await Promise.all([api.stop(), receivers.stop()]);
  if (faults.length === 0) home.remove();
  removeScratch(evidence);
}
console.log(`soak: ${faults.length === 0 ? 'held' : `FAILED, see ${home.folder}`}`);
process.exitCode = faults.length === 0 ? 0 : 1;

/** The rules of the numbered alerts, each with a first step that keeps something, and a last one that must not be made twice. */
function rulesWithOnce(): string {
  return numberedRules(PER_POD, REPEATED).replaceAll(/"actions":\[.*\]/g, (actions) => {
    const [, number] = /"first":"(\d+)"/.exec(actions) ?? [];
    const last = {
      action: ONCE,
      actionner: 'test:once',
      parameters: { labels: { [ONCE]: number }, linger: 0 },
      retry: { attempts: 100 },
    };
    const first = keepAction(Number(number), receivers, evidence);
    return actions.replace('[', `[${JSON.stringify(first)},`).replace(/]$/, `,${JSON.stringify(last)}]`);
  });
}

/** Sends the alerts of one pod after the other, those of a pod in order. */
async function send(sender: number): Promise<void> {
  for (let round = 0; performance.now() < END; round += 1) {
    const pod = `pod-${sender}-${round}`;
    for (let number = 0; number < PER_POD; number += 1) {
      const alert = numberedAlert({ name: 'soak' } as never, pod, number);
      alerts.set(alert.traceId, alert);
      const copies = Math.random() < TWICE ? 2 : 1;
      const isTaken = await Promise.all(Array.from({ length: copies }, () => sendUntilAnswered(alert)));
      if (isTaken.includes(true)) answered.push(alert);
      await sleep(randomInt(0, 500));
    }
  }
}

async function sendUntilAnswered({ body, traceId }: NumberedAlert): Promise<boolean> {
  for (;;) {
    try {
      const { status, text } = await sendAlert(home.url, body, traceId);
      if (status === 200) return true;
      if (status === 503) seen.refused += 1;
      else faults.push(`an alert was answered with ${status}: ${text}`);
    } catch (error) {
      const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
      if (cause?.code !== 'ECONNREFUSED' && Math.random() < GIVE_UP) return false;
    }
    await sleep(30);
  }
}

/** Alerts that match nothing. */
async function noise(): Promise<void> {
  while (performance.now() < END) {
    const body = alertBody({ rule: 'nothing matches this', fields: {} });
    await sendAlert(home.url, body, '1'.repeat(32)).then(
      () => (seen.noise += 1),
      () => sleep(50),
    );
  }
}

/** An API server, or receivers of notices, that are down now and then. */
async function weather(): Promise<void> {
  while (performance.now() < END) {
    await sleep(randomInt(15_000, 40_000));
    seen.outages += 1;
    const down = Math.random() < 1 / 2 ? api : receivers;
    down.isDown = true;
    await sleep(randomInt(1_000, 6_000));
    down.isDown = false;
  }
}

/** Ends the server again and again, and looks into its journal while it runs. */
async function turmoil(): Promise<void> {
  while (performance.now() < END) {
    await sleep(randomInt(500, 8_000));
    seen.peak = Math.max(seen.peak, server.talon.residentBytes());
    if (Math.random() < 1 / 4) {
      const { code, stderr } = await home.journal('list', '--limit', '50');
      if (code !== 0) faults.push(`journal list ended with ${code}: ${stderr}`);
    } else if (Math.random() < 1 / 3) await end();
    else await kill();
  }
}

async function kill(): Promise<void> {
  await server.talon.stop('KILL');
  seen.kills += 1;
  await startAgain();
}

async function end(): Promise<void> {
  const code = await server.talon.stop('TERM');
  seen.ends += 1;
  if (code !== 0) faults.push(`the server ended with ${code} when it was told to end`);
  await startAgain();
}

async function startAgain(): Promise<void> {
  for (const step of stepsInFlight(alerts, server.talon.lines)) inFlight.set(step, (inFlight.get(step) ?? 0) + 1);
  noteFaults();
  server.talon = await home.start();
}

/** What a server printed that no server should. */
function noteFaults(): void {
  // The shell that keeps it says so when it was killed.
  const stray = server.talon.stray.filter((line) => line !== 'Killed');
  faults.push(...stray.map((line) => `the server printed: ${line}`));
  const wrong = server.talon.lines.filter(({ message, level }) => level === 'fatal' || /panic/.test(message ?? ''));
  faults.push(...wrong.map((line) => `the server said: ${JSON.stringify(line)}`));
}

/** Lets all that was taken be done. */
async function settle(): Promise<void> {
  Object.assign(api, { isDown: false, isMoody: false });
  receivers.isDown = false;
  await home.untilDone(120_000).catch((error: Error) => faults.push(error.message));
  const noneWaits = async () => (await home.notices()).every(({ state }) => state !== 'pending');
  await waitUntil('the notices to be sent', noneWaits, { timeout: 180_000, interval: 500 }).catch((error: Error) =>
    faults.push(error.message),
  );
  noteFaults();
  const code = await server.talon.stop();
  if (code !== 0) faults.push(`the server ended with ${code} in the end`);
}

async function judge(): Promise<void> {
  const plans = await home.plans('open', 'parked', 'dead', 'failed', 'done');
  const steps = countedSteps(api.written);
  const unanswered = countedSteps(api.untold);
  const excuses = (step: string) => (inFlight.get(step) ?? 0) + (unanswered.get(step) ?? 0);
  const unsure = plans.filter(({ state, reason = '' }) => state === 'failed' && /nobody knows|no answer/.test(reason));
  const unwell = plans.filter((plan) => !unsure.includes(plan) && plan.state !== 'done');
  faults.push(...unwell.map(({ id, state, reason }) => `plan ${id} is ${state}: ${reason}`));
  const unsureTraces = new Set(unsure.map((plan) => plan.trace_id));
  for (const alert of answered) {
    for (const label of [...REPEATED, ONCE]) {
      const step = stepName({ ...alert, label });
      if (!steps.has(step) && !(label === ONCE && unsureTraces.has(alert.traceId))) faults.push(`never done: ${step}`);
    }
  }
  for (const [step, count] of steps) {
    const most = step.endsWith(ONCE) ? 1 : 1 + excuses(step);
    if (count > most) faults.push(`done ${count} times instead of ${most}: ${step}`);
  }
  faults.push(...outOfOrder(), ...evidenceFaults(answered, evidence));
  const untold = answered.filter(({ traceId }) => !receivers.told.has(traceId));
  faults.push(...untold.map((alert) => `nobody was told of ${alert.pod} ${alert.number}`));
  const traces = plans.map((plan) => plan.trace_id);
  if (new Set(traces).size !== traces.length) faults.push('an alert was taken twice');
  const dead = await home.notices('--dead');
  faults.push(...dead.map(({ error }) => `a notice was given up: ${error}`));
  report(plans.length, steps, unsure.length);
}

function countedSteps(written: readonly Written[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { pod, label, value } of written) {
    const step = stepName({ pod, label, number: Number(value) });
    counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  return counts;
}

function outOfOrder(): string[] {
  const latest = new Map<string, number>();
  return api.written.flatMap(({ pod, label, value }) => {
    const rank = Number(value) * 3 + [...REPEATED, ONCE].indexOf(label);
    const before = latest.get(pod) ?? 0;
    latest.set(pod, Math.max(before, rank));
    return rank < before ? [`out of order: ${pod} ${label} ${value}`] : [];
  });
}

function report(plans: number, steps: ReadonlyMap<string, number>, unsure: number): void {
  const repeated = [...steps.values()].reduce((sum, count) => sum + count - 1, 0);
  console.log(
    `soak: ${flags.minutes} min, ${seen.kills} kills, ${seen.ends} orderly ends, ${seen.outages} outages; ` +
      `${alerts.size} alerts sent, ${answered.length} answered 200, ${seen.refused} refused, ${seen.noise} that match nothing; ` +
      `${plans} plans, ${steps.size} steps done, ${receivers.counts.call} calls, ${receivers.counts.webhook} notices to the webhook, ${repeated} repeated, ${unsure} unsure, ${api.requests} requests; ` +
      `at most ${Math.round(seen.peak / 2 ** 20)} MiB`,
  );
  for (const fault of faults.slice(0, 50)) console.log(`soak: ${fault}`);
  if (faults.length > 50) console.log(`soak: and ${faults.length - 50} more`);
}

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import {
  labelWrites,
  type NumberedAlert,
  numberedAlert,
  numberedRules,
  requestsByStep,
  stepName,
  stepsInFlight,
  stepsNotDone,
  stepsOutOfOrder,
} from './numbered-alerts.ts';
import { median } from './percentile.ts';
import { isResult, sendAlert } from './talon.ts';
import { TalonHome } from './talon-home.ts';
import { Turnstile } from './turnstile.ts';

const KILLS = 50;
const PODS = Array.from({ length: 100 }, (_, index) => `pod-${index}`);
const PER_POD = 10;
const LABELS = ['first', 'second'];
/** Of the senders whose connection breaks so many give up; the others send the same alert again. */
const GIVE_UP = 1 / 4;

const cluster = useCluster({ workloads: false });
let home: TalonHome;
let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await cluster.namespace('kill');
  await Promise.all(PODS.map((pod) => namespace.pod(pod, { run: false })));
  home = await TalonHome.make({
    rules: numberedRules(PER_POD, LABELS),
    kubeconfig: cluster.kubeconfig(),
    settings: { deduplication: { leader_election: false, time_window_seconds: 600 } },
  });
});
afterAll(() => home?.remove());

it(`loses nothing to ${KILLS} kills at random moments`, async () => {
  const turnstile = new Turnstile();
  const sent = PODS.map((pod) => sendInOrder(pod, turnstile));
  const alerts = new Map(sent.flatMap(({ alerts: own }) => own).map((alert) => [alert.traceId, alert]));
  const killed = await killAgainAndAgain(turnstile, alerts);

  const talon = await home.start();
  turnstile.open();
  const answered = (await Promise.all(sent.map(({ answered: each }) => each))).flat();
  const writes = () => labelWrites(namespace.audit());
  await waitUntil('all steps to be done', () => stepsNotDone(answered, LABELS, writes()).length === 0, {
    timeout: 60_000,
    interval: 500,
    describe: () => stepsNotDone(answered, LABELS, writes()).slice(0, 20).join(', '),
  });
  expect(await talon.stop()).toBe(0);

  const requests = requestsByStep(writes());
  const extra = [...requests].filter(([, count]) => count > 1);
  const extraRequests = extra.reduce((sum, [, count]) => sum + count - 1, 0);
  console.log(
    `e2e: ${KILLS} kills during ${alerts.size} alerts: ${answered.length} answered 200, ${alerts.size - answered.length} given up, ` +
      `${requests.size} steps run, ${killed.inFlight.length} in flight at a kill, ${extraRequests} extra requests, ` +
      `ready ${killed.restartMedian.toFixed(0)} ms after the restart (median)`,
  );
  expect(stepsOutOfOrder(LABELS, writes())).toEqual([]);
  const excessive = extra.filter(
    ([step, count]) => count - 1 > killed.inFlight.filter((interrupted) => interrupted === step).length,
  );
  expect(excessive).toEqual([]);
  // Whatever was begun has been ended, also where nobody waited for the answer.
  const begun = [...alerts.values()].filter((alert) => requests.has(stepName({ ...alert, label: 'first' })));
  expect(stepsNotDone(begun, LABELS, writes())).toEqual([]);
  expect(await home.plans('open', 'failed', 'parked', 'dead')).toEqual([]);
  // The journal and the witness agree on what was taken: each alert once, however often it was sent.
  expect((await home.plans('done')).map(({ trace_id }) => trace_id).sort()).toEqual(
    begun.map(({ traceId }) => traceId).sort(),
  );
}, 240_000);

/** Sends the alerts of a pod one after the other; gives those that were answered. */
function sendInOrder(
  pod: string,
  turnstile: Turnstile,
): { readonly alerts: readonly NumberedAlert[]; readonly answered: Promise<readonly NumberedAlert[]> } {
  const alerts = Array.from({ length: PER_POD }, (_, number) => numberedAlert(namespace, pod, number));
  const send = async () => {
    const answered: NumberedAlert[] = [];
    for (const alert of alerts) {
      await turnstile.pass();
      if (await sendUntilAnswered(alert)) answered.push(alert);
    }
    return answered;
  };
  return { alerts, answered: send() };
}

/** Whether it was answered; otherwise the sender gave up. */
async function sendUntilAnswered({ body, traceId }: NumberedAlert): Promise<boolean> {
  for (;;) {
    try {
      const { status } = await sendAlert(home.url, body, traceId);
      if (status === 200) return true;
    } catch (error) {
      if (!isRefused(error) && Math.random() < GIVE_UP) return false;
    }
    await sleep(20);
  }
}

/** Whether nothing listened, so that nobody can have taken the alert. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
}

/** When a server is killed: amid its work, as soon as it answers, or while it starts. */
const MOMENTS = ['amid', 'answering', 'amid', 'starting', 'amid'] as const;

/** Lets some alerts through at each start, and kills the server at a random moment. */
async function killAgainAndAgain(turnstile: Turnstile, alerts: ReadonlyMap<string, NumberedAlert>) {
  const inFlight: string[] = [];
  const restarts: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const start = performance.now();
    const talon = home.launch();
    turnstile.admit((PODS.length * PER_POD) / KILLS);
    const moment = MOMENTS[kill % MOMENTS.length];
    if (moment === 'starting') await sleep(randomInt(50, 500));
    else {
      await talon.untilHealthy();
      restarts.push(performance.now() - start);
      if (moment === 'amid') await waitUntil('work to be done', () => talon.lines.some(isResult));
      await sleep(randomInt(0, 200));
    }
    await talon.stop('KILL');
    inFlight.push(...stepsInFlight(alerts, talon.lines));
  }
  return { inFlight, restartMedian: median(restarts) };
}

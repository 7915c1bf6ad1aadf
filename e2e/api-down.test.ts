import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import {
  labelWrites,
  type NumberedAlert,
  numberedAlert,
  numberedRules,
  requestsByStep,
  stepsInFlight,
  stepsNotDone,
  stepsOutOfOrder,
} from './numbered-alerts.ts';
import { sendAlert, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const OUTAGE = 30_000;
const PODS = Array.from({ length: 10 }, (_, index) => `pod-${index}`);
const PER_POD = 40;
const LABELS = ['first', 'second'];

describe('an API server that is down', () => {
  const cluster = useCluster({ workloads: false });
  let home: TalonHome;
  let talon: Talon;
  let namespace: TestNamespace;

  beforeAll(async () => {
    namespace = await cluster.namespace('outage');
    await Promise.all(PODS.map((pod) => namespace.pod(pod, { run: false })));
    home = await TalonHome.make({ rules: numberedRules(PER_POD, LABELS), kubeconfig: cluster.kubeconfig() });
    talon = await home.start();
  });
  afterAll(async () => {
    await talon?.stop();
    home?.remove();
  });

  it(`loses nothing of ${PODS.length * PER_POD} alerts and keeps their order over ${OUTAGE / 1000} s`, async () => {
    const alerts = PODS.flatMap((pod) =>
      Array.from({ length: PER_POD }, (_, number) => numberedAlert(namespace, pod, number)),
    );
    const byTrace = new Map(alerts.map((alert) => [alert.traceId, alert]));
    const readiness: number[] = [];
    const senders = PODS.map((pod) => sendSlowly(alerts.filter((alert) => alert.pod === pod)));
    await sleep(3_000);
    await cluster.plane.stopApiServer();
    const inFlight = stepsInFlight(byTrace, talon.lines);
    const down = performance.now();
    while (performance.now() - down < OUTAGE) {
      readiness.push((await talon.readiness()).status);
      await sleep(250);
    }
    const doneBefore = [...byTrace.keys()].filter((traceId) => results(traceId) === LABELS.length).length;
    await cluster.plane.startApiServer();
    const up = performance.now();
    await Promise.all(senders);
    const writes = () => labelWrites(namespace.audit());
    await waitUntil('all steps to be done', () => stepsNotDone(alerts, LABELS, writes()).length === 0, {
      timeout: 60_000,
      interval: 250,
      describe: () => stepsNotDone(alerts, LABELS, writes()).slice(0, 20).join(', '),
    });
    const afterwards = performance.now() - up;
    await waitUntil('all ends to be logged', () => alerts.every(({ traceId }) => results(traceId) === LABELS.length));

    const extra = [...requestsByStep(writes())].filter(([, count]) => count > 1);
    console.log(
      `e2e: API server down for ${OUTAGE / 1000} s during ${alerts.length} alerts: ${doneBefore} done when it came back, all ` +
        `${(afterwards / 1000).toFixed(1)} s after it was ready again, ${extra.length} extra requests (${inFlight.size} in flight when it died)`,
    );
    expect(stepsOutOfOrder(LABELS, writes())).toEqual([]);
    expect(extra.filter(([step, count]) => count > 2 || !inFlight.has(step))).toEqual([]);
    expect(new Set(readiness)).toEqual(new Set([200]));
    expect(talon.lines.filter(({ message, status }) => message === 'action' && status === 'failure')).toEqual([]);
  }, 150_000);

  it('tells of it in the log and in the metrics', async () => {
    const retried = talon.lines.filter(({ status }) => status === 'retrying');
    expect(retried.length).toBeGreaterThan(0);
    const breaker = talon.lines.filter(({ message }) => message === 'api');
    console.log(
      `e2e: the outage in the log: ${retried.length} lines of retries, ${breaker.length} lines of the breaker, such as ` +
        `${JSON.stringify(retried[0])} and ${JSON.stringify(breaker)}`,
    );
    expect(breaker.length).toBeGreaterThanOrEqual(2);
  });

  /** One alert about the pod about each second, before, in and after the outage. */
  async function sendSlowly(alerts: readonly NumberedAlert[]): Promise<void> {
    for (const { body, traceId } of alerts) {
      const { status, text } = await sendAlert(talon.url, body, traceId);
      if (status !== 200) throw new Error(`answered with ${status}: ${text}`);
      await sleep(1_000);
    }
  }

  function results(traceId: string): number {
    return talon.about(traceId).filter(({ message, status }) => message === 'action' && status === 'success').length;
  }
});

import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { interpose } from './cluster/admission-webhook.ts';
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

const PODS = Array.from({ length: 20 }, (_, index) => `pod-${index}`);
const PER_POD = 10;
const BACKLOG = PODS.length * PER_POD;
const LABELS = ['number'];

describe(`a server that is told to end with a backlog of ${BACKLOG}`, () => {
  const cluster = useCluster({ workloads: false });
  let namespace: TestNamespace;

  beforeAll(async () => {
    namespace = await cluster.namespace('shutdown');
    await Promise.all(PODS.map((pod) => namespace.pod(pod, { run: false })));
  });

  it('ends what runs, leaves the rest for the next start, and makes no request twice', async () => {
    const hook = await interpose(cluster, namespace, 'UPDATE', async () => {
      await sleep(500);
      return { allowed: true };
    });
    const home = await newHome();
    const talon = await home.start();
    const alerts = await fill(talon);
    const begin = performance.now();
    const readiness = pollReadiness(talon);
    expect(await talon.stop()).toBe(0);
    const took = performance.now() - begin;
    const ended = talon.lines.filter(({ status }) => status === 'success').length;
    expect(stepsInFlight(alerts, talon.lines).size).toBe(0);
    expect((await readiness).filter((status) => status === 200)).toEqual([]);
    await hook.close();

    const again = await home.start();
    const writes = await allDone(alerts);
    console.log(
      `e2e: SIGTERM with ${alerts.size} alerts accepted: ended after ${took.toFixed(0)} ms with ${ended} done, ` +
        `the other ${alerts.size - ended} after the restart, no request twice`,
    );
    expect([...requestsByStep(writes)].filter(([, count]) => count > 1)).toEqual([]);
    expect(stepsOutOfOrder(LABELS, writes)).toEqual([]);
    expect(ended).toBeLessThan(BACKLOG / 2);
    expect(await again.stop()).toBe(0);
    home.remove();
  });

  it('ends at once at the second signal, and loses nothing either', async () => {
    const release: (() => void)[] = [];
    const hook = await interpose(cluster, namespace, 'UPDATE', async () => {
      await new Promise<void>((resolve) => release.push(resolve));
      return { allowed: true };
    });
    const home = await newHome();
    const talon = await home.start();
    const alerts = await fill(talon);
    await waitUntil('actions to hang', () => release.length > 0);
    talon.signal('TERM');
    await sleep(500);
    const begin = performance.now();
    talon.signal('TERM');
    const code = await talon.exited;
    const took = performance.now() - begin;
    const inFlight = stepsInFlight(alerts, talon.lines);
    await hook.close();

    const again = await home.start();
    const writes = await allDone(alerts);
    const extra = [...requestsByStep(writes)].filter(([, count]) => count > 1);
    console.log(
      `e2e: second SIGTERM with ${inFlight.size} actions that hang: ended after ${took.toFixed(0)} ms with code ${code}, ` +
        `all ${alerts.size} done after the restart, ${extra.length} extra requests`,
    );
    expect(took).toBeLessThan(1_500);
    expect(extra.filter(([step, count]) => count > 2 || !inFlight.has(step))).toEqual([]);
    expect(stepsOutOfOrder(LABELS, writes)).toEqual([]);
    expect(await again.stop()).toBe(0);
    home.remove();
  });

  /** Each test has its own labels to write, since both see the same audit log. */
  let homes = 0;
  function newHome(): Promise<TalonHome> {
    homes += 1;
    return TalonHome.make({ rules: numberedRules(2 * PER_POD, LABELS), kubeconfig: cluster.kubeconfig() });
  }

  async function fill(talon: Talon): Promise<ReadonlyMap<string, NumberedAlert>> {
    const first = (homes - 1) * PER_POD;
    const numbers = Array.from({ length: PER_POD }, (_, index) => first + index);
    const alerts = PODS.map((pod) => numbers.map((number) => numberedAlert(namespace, pod, number)));
    await Promise.all(
      alerts.map(async (own) => {
        for (const { body, traceId } of own) {
          expect((await sendAlert(talon.url, body, traceId)).status).toBe(200);
        }
      }),
    );
    return new Map(alerts.flat().map((alert) => [alert.traceId, alert]));
  }

  async function allDone(alerts: ReadonlyMap<string, NumberedAlert>) {
    const numbers = new Set([...alerts.values()].map(({ number }) => number));
    const writes = () => labelWrites(namespace.audit()).filter(({ number }) => numbers.has(number));
    const missing = () => stepsNotDone([...alerts.values()], LABELS, writes());
    await waitUntil('all steps to be done', () => missing().length === 0, {
      timeout: 30_000,
      interval: 100,
      describe: () => missing().slice(0, 20).join(', '),
    });
    return writes();
  }

  /** What `/readyz` answers from a moment after now until nobody answers any more. */
  async function pollReadiness(talon: Talon): Promise<readonly number[]> {
    const answers: number[] = [];
    await sleep(100);
    for (;;) {
      const answer = await talon.readiness().catch(() => undefined);
      if (answer === undefined) return answers;
      answers.push(answer.status);
      await sleep(10);
    }
  }
});

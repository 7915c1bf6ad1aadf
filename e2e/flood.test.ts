import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchAlerts, benchRules } from '../bench/alerts.ts';
import { GENERATOR, putLoad } from '../bench/load.ts';
import { rulesFile } from '../bench/rules-file.ts';
import { alertBody, podAlert } from './alert.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { LabelTimes } from './label-times.ts';
import { median } from './percentile.ts';
import { isResult, type Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const MATCHING = 20;
const SECONDS = 10;
const CONNECTIONS = 32;
const PODS = Array.from({ length: MATCHING }, (_, index) => `pod-${index}`);
const MIB = 2 ** 20;
/** MiB of resident memory: with nothing to do, and with as many matching alerts as the server takes. */
const GOALS = { idle: 150, loaded: 250 };

const NAMELESS = benchRules(1_000, { named: false });
const RULES = `${rulesFile(NAMELESS.rules)}
- rule: Label
  match: {rules: [needle]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {found: "true"}}
- rule: Label again
  match: {rules: [load]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {loaded: "true"}}
`;

describe('a server under as many requests as it takes', () => {
  const cluster = useCluster({ workloads: false });
  const times = new LabelTimes();
  let talon: Talon;
  let namespace: TestNamespace;
  let idle: number;

  beforeAll(async () => {
    namespace = await cluster.namespace('flood');
    await Promise.all(PODS.map((pod) => namespace.pod(pod, { run: false })));
    await times.watch(namespace);
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    await sleep(5_000);
    idle = talon.residentBytes();
  });
  afterAll(async () => {
    times.end();
    await talon?.stop();
  });

  it(`acts on ${MATCHING} matching alerts among those that match none of 1,000 rules without names`, async () => {
    const bodies = benchAlerts()
      .filter((_, position) => !NAMELESS.matching.has(position))
      .map((alert) => JSON.stringify(alert));
    const flood = putLoad({ port: portOf(talon), bodies, seconds: SECONDS, connections: CONNECTIONS });
    await sleep(1_500);
    const pending: Promise<number>[] = [];
    for (const pod of PODS) {
      const start = performance.now();
      const posted = talon.post(podAlert('needle', namespace.name, pod));
      pending.push(posted.then(async () => (await times.until(pod, 'found', 'true')) - start));
      await sleep(300);
    }
    const all = await Promise.all(pending);
    const { perSecond, failed, p99 } = await flood;
    console.log(
      `e2e: ${MATCHING} matching alerts among ${perSecond.toFixed(0)} others per second (${GENERATOR}, ${CONNECTIONS} connections, p99 ` +
        `${p99.toFixed(1)} ms, ${failed} failed), 1,000 nameless rules: all done, median ${median(all).toFixed(0)} ms, ` +
        `slowest ${Math.max(...all).toFixed(0)} ms, goal 1000 ms`,
    );
    expect(failed).toBe(0);
    expect(Math.max(...all)).toBeLessThan(10_000);
  });

  it('stays small', async () => {
    const bodies = Array.from({ length: 5_000 }, (_, n) => {
      const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': PODS[n % PODS.length] };
      return alertBody({ rule: 'load', output: `alert ${n}`, fields });
    });
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, talon.residentBytes());
    }, 100);
    const { requests, perSecond, failed } = await putLoad({
      port: portOf(talon),
      bodies,
      seconds: SECONDS,
      connections: CONNECTIONS,
    });
    clearInterval(watch);
    const done = talon.lines.filter(isResult).length;
    const figure = (bytes: number, goal: number) =>
      `${(bytes / MIB).toFixed(0)} MiB (${(bytes / MIB / goal).toFixed(2)} of the goal of ${goal})`;
    console.log(
      `e2e: resident memory idle ${figure(idle, GOALS.idle)}, under ${perSecond.toFixed(0)} matching alerts per second ` +
        `${figure(peak, GOALS.loaded)}; ${requests} sent, ${failed} refused for want of room, ${done} actions done meanwhile`,
    );
    expect(idle / MIB).toBeLessThan(1.5 * GOALS.idle);
    expect(peak / MIB).toBeLessThan(1.5 * GOALS.loaded);
    expect(await talon.isHealthy()).toBe(true);
  });
});

function portOf({ url }: Talon): number {
  return Number(new URL(url).port);
}

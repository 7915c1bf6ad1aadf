import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const COUNT = 200;
const PODS = Array.from({ length: COUNT }, (_, index) => `pod-${index}`);

const RULES = `
- rule: One by one
  match: {rules: [single]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters:
        labels: {single: "true"}
- rule: All at once
  match: {rules: [burst]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters:
        labels: {burst: "true"}
`;

describe('from the alert to the label', () => {
  const cluster = useCluster();
  let talon: Talon;
  let namespace: TestNamespace;
  let endWatch: (() => void) | undefined;
  /** When a label was first seen on a pod, by `<label> <pod>`. */
  const seen = new Map<string, number>();

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    namespace = await cluster.namespace('latency');
    await Promise.all(PODS.map((name) => namespace.pod(name)));
    endWatch = await namespace.watchPods(({ object, at }) => {
      for (const label of Object.keys(object.metadata.labels ?? {})) {
        const key = `${label} ${object.metadata.name}`;
        if (!seen.has(key)) seen.set(key, at);
      }
    });
  });
  afterAll(async () => {
    endWatch?.();
    await talon?.stop();
  });

  it(`takes milliseconds, over ${COUNT} alerts one by one`, async () => {
    const times: number[] = [];
    for (const pod of PODS) {
      const start = performance.now();
      await talon.post(podAlert('single', namespace.name, pod));
      const at = await waitUntil(`the label on ${pod}`, () => seen.get(`single ${pod}`), { interval: 1 });
      times.push(at - start);
      await sleep(5);
    }
    times.sort((one, other) => one - other);
    const [median, p99, max] = [0.5, 0.99, 1].map((part) => times[Math.ceil(part * times.length) - 1] ?? 0);
    console.log(
      `e2e: POST to label visible, ${COUNT} alerts: median ${median?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms, max ${max?.toFixed(1)} ms`,
    );
    expect(median).toBeLessThan(1000);
  });

  it(`labels ${COUNT} pods within five seconds when all alerts come at once`, async () => {
    const start = performance.now();
    await Promise.all(PODS.map((pod) => talon.post(podAlert('burst', namespace.name, pod))));
    const accepted = performance.now() - start;
    const whenSeen = () => PODS.map((pod) => seen.get(`burst ${pod}`)).filter((at) => at !== undefined);
    await waitUntil('all labels', () => whenSeen().length === COUNT, { timeout: 60_000 });
    const last = Math.max(...whenSeen()) - start;
    console.log(
      `e2e: ${COUNT} label alerts at once: accepted after ${accepted.toFixed(0)} ms, all labels visible after ${last.toFixed(0)} ms`,
    );
    expect(last).toBeLessThan(5000);
  });

  it('takes one write and at most one read per label', () => {
    for (const pod of PODS) {
      const verbs = namespace
        .audit()
        .filter(({ objectRef }) => objectRef?.name === pod)
        .map(({ verb }) => verb);
      expect(verbs.filter((verb) => verb === 'patch')).toHaveLength(2);
      expect(verbs.filter((verb) => verb === 'get').length).toBeLessThanOrEqual(2);
      expect(verbs.filter((verb) => verb !== 'patch' && verb !== 'get')).toEqual([]);
    }
  });
});

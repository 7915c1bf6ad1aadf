import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import type { KubeObject, WatchEvent } from './cluster/kube-api.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- rule: Terminate with grace
  match: {rules: [with grace]}
  actions:
    - action: Terminate
      actionner: kubernetes:terminate
      parameters: {grace_period_seconds: 30}
- rule: Terminate at once
  match: {rules: [at once]}
  actions:
    - action: Terminate
      actionner: kubernetes:terminate
- rule: Terminate with too little grace
  match: {rules: [too little]}
  actions:
    - action: Terminate
      actionner: kubernetes:terminate
      parameters: {grace_period_seconds: 1}
`;

/** A process that takes two seconds to end when it is asked to. */
const SLOW = "trap 'echo asked to end; sleep 2; echo has ended; exit 0' TERM; echo up; while :; do sleep 0.1; done";
/** A process that does not care. */
const DEAF = "trap 'echo asked to end' TERM; echo up; while :; do sleep 0.1; done";

describe('kubernetes:terminate of pods that really run', () => {
  const cluster = useRealCluster();
  let talon: Talon;
  let pods: RealPods;

  beforeAll(async () => {
    const { kubeconfig } = await grantedTo(cluster, 'terminator', ['kubernetes:terminate']);
    talon = await startTalon({ rules: RULES, kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('terminate'));
  });
  afterAll(() => talon?.stop());

  it('lets the process end in its own time, within the time that the rule grants', async () => {
    const pod = await startScript('slow', SLOW);
    const end = await follow(pod, () => talon.result(podAlert('with grace', pods.namespace.name, 'slow')));
    expect(end.result.status).toBe('success');
    expect(end.log).toBe('up\nasked to end\nhas ended\n');
    expect(end.milliseconds).toBeGreaterThan(1900);
    expect(end.milliseconds).toBeLessThan(20_000);
  });

  it('kills the process when that time is over', async () => {
    const pod = await startScript('deaf', DEAF);
    const end = await follow(pod, () => talon.result(podAlert('too little', pods.namespace.name, 'deaf')));
    expect(end.result.status).toBe('success');
    expect(end.log).toBe('up\nasked to end\n');
    expect(end.milliseconds).toBeGreaterThan(900);
    expect(end.milliseconds).toBeLessThan(10_000);
  });

  it('without grace,  takes the pod away at once', async () => {
    const pod = await startScript('now', SLOW);
    const end = await follow(pod, () => talon.result(podAlert('at once', pods.namespace.name, 'now')));
    expect(end.result.status).toBe('success');
    expect(end.milliseconds).toBeLessThan(1900);
  });

  async function startScript(name: string, script: string): Promise<KubeObject> {
    const pod = await pods.start(name, ['sh', '-c', script]);
    await waitUntil('the process to be up', async () => (await pods.log(name)) === 'up\n');
    return pod;
  }

  /** What a pod prints until it is gone, and how long that takes from the deletion on. */
  async function follow<T>({ metadata: { name, uid } }: KubeObject, end: () => Promise<T>): Promise<Followed<T>> {
    const events: WatchEvent[] = [];
    const endWatch = await pods.namespace.watchPods((event) => events.push(event));
    const log = cluster.api.must<string>('GET', `${pods.namespace.pods(name)}/log?follow=true`);
    // The log must be followed before the pod goes.
    await waitUntil('the log to be followed', async () => (await pods.log(name)) !== '');
    const started = performance.now();
    const result = await end();
    const gone = await waitUntil('the pod to be gone', () =>
      events.find(({ type, object }) => type === 'DELETED' && object.metadata.uid === uid),
    );
    endWatch();
    return { result, log: await log, milliseconds: gone.at - started };
  }
});

interface Followed<T> {
  readonly result: T;
  readonly log: string;
  readonly milliseconds: number;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import type { KubeObject, WatchEvent } from './cluster/kube-api.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
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
  let folder: string;

  beforeAll(async () => {
    folder = makeScratch();
    const { kubeconfig } = await grantedTo(cluster, 'terminator', RULES);
    talon = await startTalon({ rules: RULES, kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('terminate'));
  });
  afterAll(async () => {
    await talon?.stop();
    removeScratch(folder);
  });

  it('lets the process end in its own time, within the time that the rule grants', async () => {
    const pod = await startScript('slow', SLOW);
    const end = await follow(pod, podAlert('with grace', pods.namespace.name, 'slow'));
    expect(end.result.status).toBe('success');
    expect(end.printed).toBe('up\nasked to end\nhas ended\n');
    expect(end.milliseconds).toBeGreaterThan(1900);
    expect(end.milliseconds).toBeLessThan(20_000);
  });

  it('kills the process when that time is over', async () => {
    const pod = await startScript('deaf', DEAF);
    const end = await follow(pod, podAlert('too little', pods.namespace.name, 'deaf'));
    expect(end.result.status).toBe('success');
    expect(end.printed).toBe('up\nasked to end\n');
    expect(end.milliseconds).toBeGreaterThan(900);
    expect(end.milliseconds).toBeLessThan(10_000);
  });

  it('takes the pod away at once where the rule grants no time', async () => {
    const pod = await startScript('now', SLOW);
    const end = await follow(pod, podAlert('at once', pods.namespace.name, 'now'));
    expect(end.result.status).toBe('success');
    expect(end.milliseconds).toBeLessThan(1900);
  });

  async function startScript(name: string, script: string): Promise<KubeObject> {
    const pod = await pods.startWriting(name, script, join(folder, name));
    await waitUntil('the process to be up', () => printed(name) === 'up\n');
    return pod;
  }

  function printed(name: string): string {
    return readFileSync(join(folder, name), 'utf8');
  }

  /** What a pod prints until it is gone, and how long that takes from the alert on. */
  async function follow({ metadata: { name, uid } }: KubeObject, alert: string): Promise<Followed> {
    const events: WatchEvent[] = [];
    const endWatch = await pods.namespace.watchPods((event) => events.push(event));
    const started = performance.now();
    const result = await talon.result(alert);
    const gone = await waitUntil('the pod to be gone', () =>
      events.find(({ type, object }) => type === 'DELETED' && object.metadata.uid === uid),
    );
    endWatch();
    return { result, printed: printed(name), milliseconds: gone.at - started };
  }
});

interface Followed {
  readonly result: LogLine;
  readonly printed: string;
  readonly milliseconds: number;
}

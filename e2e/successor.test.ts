import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { isResult, type LogLine } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const RULES = `
- rule: Terminate
  match: {rules: [miner]}
  actions:
    - action: Terminate
      actionner: kubernetes:terminate
      parameters: {grace_period_seconds: 0, ignore_daemonsets: true}
`;

const PODS = ['stays', 'gone', 'replaced'];

/** A kill while terminations are under way: of one the pod is still there afterwards, of one it is gone, one was replaced. */
describe('a kill in the middle of a termination', () => {
  const cluster = useCluster({ workloads: false });
  let namespace: TestNamespace;
  let home: TalonHome;
  let successor: KubeObject;
  const traces = new Map<string, string>();
  let lines: readonly LogLine[];

  beforeAll(async () => {
    namespace = await cluster.namespace('successor');
    for (const pod of PODS) await namespace.pod(pod, { run: false });
    const held = new Set<string>();
    const hold = (pod: string) => {
      held.add(pod);
      return new Promise<never>(() => undefined);
    };
    const hook = await interpose(cluster, namespace, 'DELETE', hold, { only: PODS });
    home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    const talon = await home.start();
    for (const pod of PODS) traces.set(pod, await talon.post(podAlert('miner', namespace.name, pod)));
    await waitUntil('the terminations to be under way', () => held.size === PODS.length);
    await talon.stop('KILL');
    await hook.close();
    for (const pod of ['gone', 'replaced']) await cluster.api.must('DELETE', namespace.pods(pod));
    successor = await namespace.pod('replaced', { run: false });

    const again = await home.start();
    await home.untilDone();
    expect(await again.stop()).toBe(0);
    lines = again.lines;
  });
  afterAll(() => home?.remove());

  it.each(PODS)('ends the one that %s, or finds that it is done', (pod) => {
    const results = lines.filter((line) => line.trace_id === traces.get(pod) && isResult(line));
    expect(results.map(({ status }) => status)).toEqual(['success']);
  });

  it('leaves the pod alone that came after it', async () => {
    expect((await namespace.find('replaced'))?.metadata).toMatchObject({ uid: successor.metadata.uid });
    expect(await namespace.find('stays')).toBeUndefined();
  });

  it('asks once more for each', () => {
    const deletions = namespace.audit().filter(({ verb }) => verb === 'delete');
    const requests = PODS.map((pod) => deletions.filter(({ objectRef }) => objectRef?.name === pod).length);
    expect(requests).toEqual([2, 2, 2]);
  });
});

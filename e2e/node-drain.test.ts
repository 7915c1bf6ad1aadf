import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { REAL_NODE } from './cluster/real-node.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import type { LogLine, Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- rule: Drain the node
  match: {rules: [drain]}
  actions:
    - action: Drain
      actionner: kubernetes:drain
      parameters: {max_wait_period: 30}
- rule: Drain the node in no time
  match: {rules: [drain in no time]}
  actions:
    - action: Drain
      actionner: kubernetes:drain
      parameters: {max_wait_period: 1}
`;

/** A process that takes two seconds to end when it is asked to. */
const SLOW = "trap 'sleep 2; exit 0' TERM; echo up; while :; do sleep 0.1; done";

describe('kubernetes:drain of a real node', () => {
  const cluster = useRealCluster();
  let talon: Talon;
  let pods: RealPods;

  beforeAll(async () => {
    const { kubeconfig } = await grantedTo(cluster, 'drainer', RULES);
    talon = await startTalon({ rules: RULES, kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('drain'));
  });
  afterAll(() => talon?.stop());

  it('waits until the processes of the evicted pods have ended', async () => {
    await Promise.all(['suspect', 'neighbour'].map(startSlow));
    const started = performance.now();
    expect(await drain('drain')).toMatchObject({
      status: 'success',
      node: REAL_NODE,
      output: `the node '${REAL_NODE}' has been drained, errors are ignored: 0 ignored pods, 0 eviction errors, 0 other errors`,
    });
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect(await cluster.api.list(pods.namespace.pods())).toEqual([]);
  });

  it('says how many have not ended in the time that the rule grants', async () => {
    await Promise.all(['suspect', 'neighbour'].map(startSlow));
    const result = await drain('drain in no time');
    expect(result.status).toBe('failure');
    expect(`${result.output}${result.error}${result.result}`).toContain(
      `the node '${REAL_NODE}' has not been fully drained: 0 pods ignored, 0 eviction errors, 2 were not evicted during max_wait_period, 0 other errors`,
    );
    await waitUntil('the pods to be gone', async () => (await cluster.api.list(pods.namespace.pods())).length === 0);
  });

  function drain(rule: string): Promise<LogLine> {
    return talon.result(podAlert(rule, pods.namespace.name, 'suspect'), { timeout: 45_000 });
  }

  async function startSlow(name: string): Promise<void> {
    await pods.start(name, ['sh', '-c', SLOW]);
    await waitUntil('the process to be up', async () => (await pods.log(name)) === 'up\n');
  }
});

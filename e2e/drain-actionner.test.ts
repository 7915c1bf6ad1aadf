import { afterAll, beforeAll, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import type { AuditRecord } from './cluster/audit-log.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { type Granted, grantedTo } from './granted-rights.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const PODS = Array.from({ length: 200 }, (_, index) => `pod-${index}`);

const RULES = `
- rule: Drain the node
  match: {rules: [drain]}
  actions:
    - action: Drain
      actionner: kubernetes:drain
      parameters: {ignore_daemonsets: true, max_wait_period: 30}
`;

const cluster = useCluster();
let namespace: TestNamespace;
let granted: Granted;
let talon: Talon;

beforeAll(async () => {
  namespace = await cluster.namespace('drain');
  granted = await grantedTo(cluster, 'drainer', RULES);
  talon = await startTalon({ rules: RULES, kubeconfig: granted.kubeconfig });
});
afterAll(() => talon?.stop());

it(`kubernetes:drain evicts ${PODS.length} pods, each once, and leaves those of daemon sets`, async () => {
  await Promise.all(PODS.map((pod) => namespace.pod(pod)));
  const [daemon] = await namespace.workload('DaemonSet', 'daemon');
  const begin = performance.now();
  const result = await talon.result(podAlert('drain', namespace.name, 'pod-0'), { timeout: 90_000 });
  console.log(`e2e: kubernetes:drain of ${PODS.length} pods took ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  expect(result).toMatchObject({
    status: 'success',
    output: `the node 'node-0' has been drained, errors are ignored: 1 ignored pods, 0 eviction errors, 0 other errors`,
  });
  expect(evicted().sort()).toEqual([...PODS].sort());
  const left = await cluster.api.list(namespace.pods());
  expect(left.map(({ metadata: { uid } }) => uid)).toEqual([daemon!.metadata.uid]);
}, 120_000);

it('kubernetes:drain waits for what a disruption budget forbids', async () => {
  const guarded = await cluster.namespace('budget');
  const labels = { app: 'guarded' };
  await Promise.all(['first', 'second'].map((pod) => guarded.pod(pod, { labels, node: 'node-1' })));
  const path = `/apis/policy/v1/namespaces/${guarded.name}/poddisruptionbudgets`;
  await cluster.api.must('POST', path, {
    metadata: { name: 'one-stays' },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  });
  await allow(1);
  const result = talon.result(podAlert('drain', guarded.name, 'first'), { timeout: 60_000 });
  const [refusal] = await waitUntil('an eviction to be refused', () => {
    const refused = evictions().filter(({ responseStatus }) => responseStatus?.code === 429);
    return refused.length > 0 && refused;
  });
  const stays = refusal!.objectRef?.name ?? '';
  expect(await guarded.find(stays)).toBeDefined();
  await allow(1);
  expect(await result).toMatchObject({ status: 'success', node: 'node-1' });
  expect(await cluster.api.list(guarded.pods())).toEqual([]);

  /** There is no controller of budgets here. */
  async function allow(disruptionsAllowed: number): Promise<void> {
    const status = { disruptionsAllowed, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, observedGeneration: 1 };
    await cluster.api.mergePatch(`${path}/one-stays/status`, { status });
  }
}, 90_000);

function evictions(): readonly AuditRecord[] {
  return granted.audit().filter(({ objectRef }) => objectRef?.subresource === 'eviction');
}

function evicted(): string[] {
  return evictions().map(({ objectRef }) => objectRef?.name ?? '');
}

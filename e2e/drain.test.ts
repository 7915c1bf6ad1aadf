import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import type { AuditRecord } from './cluster/audit-log.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { WITH_PLUGINS } from './run-program.ts';
import { isResult } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const PODS = Array.from({ length: 250 }, (_, index) => `pod-${index}`);
const FREEZES = 3;
/** Milliseconds that each eviction takes: the drain is to be under way while all this happens. */
const EVICTION = 300;
/** The drain keeps so many evictions under way. */
const AT_ONCE = 8;

const RULES = `
- rule: Drain the node
  match: {rules: [drain]}
  actions:
    - action: Drain
      actionner: kubernetes:drain
- rule: Freeze the thread
  match: {rules: [freeze]}
  actions:
    - action: Freeze
      actionner: test:freeze
`;

const cluster = useCluster();
let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await cluster.namespace('drain');
  await Promise.all([...PODS, 'suspect'].map((pod) => namespace.pod(pod)));
  await cluster.allow({ kind: 'User', name: 'talon' }, [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  ]);
});

it(`evicts ${PODS.length} pods once over ${FREEZES} frozen threads and a killed server`, async () => {
  const hook = await interpose(cluster, namespace, 'EVICT', async () => {
    await sleep(EVICTION);
    return { allowed: true };
  });
  const home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), program: WITH_PLUGINS });
  const talon = await home.start();
  const begin = performance.now();
  await talon.post(podAlert('drain', namespace.name, 'suspect'));
  for (let freeze = 0; freeze < FREEZES; freeze += 1) {
    await waitUntil('evictions to go on', () => evictions().length >= (freeze + 1) * 2 * AT_ONCE);
    const result = await talon.result(podAlert('freeze', namespace.name, 'suspect'));
    expect(result).toMatchObject({ status: 'failure', action: 'Freeze' });
  }
  const frozen = evictions().length;
  await waitUntil('evictions to go on', () => evictions().length >= frozen + AT_ONCE);
  const beforeKill = evictions().length;
  expect(talon.lines.filter(({ action }) => action === 'Drain').filter(isResult)).toEqual([]);
  const killedAt = new Date();
  await talon.stop('KILL');

  const again = await home.start();
  const { status, error } = await waitUntil(
    'the end of the drain',
    () => again.lines.find((line) => line.action === 'Drain' && isResult(line)),
    { timeout: 60_000 },
  );
  const seconds = (performance.now() - begin) / 1000;
  await hook.close();
  expect({ status, error }).toEqual({ status: 'success', error: undefined });
  for (const pod of PODS) expect(await namespace.find(pod), pod).toBeUndefined();

  const counts = new Map<string, number>();
  for (const { objectRef } of evictions())
    counts.set(objectRef?.name ?? '', (counts.get(objectRef?.name ?? '') ?? 0) + 1);
  const twice = [...counts].filter(([, count]) => count > 1);
  const inFlight = new Set(
    evictions()
      .filter((record) => wasInFlight(record, killedAt))
      .map(nameOf),
  );
  console.log(
    `e2e: drain of ${PODS.length} pods: ${FREEZES} threads replaced, server killed after ${beforeKill} evictions, done after ` +
      `${seconds.toFixed(1)} s; ${twice.length} asked for twice, of ${inFlight.size} in flight at the kill`,
  );
  expect(counts.size).toBeGreaterThanOrEqual(PODS.length);
  expect(twice.filter(([pod, count]) => count > 2 || !inFlight.has(pod))).toEqual([]);
  expect(inFlight.size).toBeLessThanOrEqual(2 * AT_ONCE);
  expect(await again.stop()).toBe(0);
  home.remove();
}, 120_000);

/** What was asked of the API server, answered or not. */
function evictions(): readonly AuditRecord[] {
  return namespace.audit().filter(({ verb, objectRef }) => verb === 'create' && objectRef?.subresource === 'eviction');
}

function nameOf({ objectRef }: AuditRecord): string {
  return objectRef?.name ?? '';
}

/** Whether it was under way at that moment, or its answer had hardly left the API server: the journal may not have it yet. */
function wasInFlight({ requestReceivedTimestamp, stageTimestamp }: AuditRecord, moment: Date): boolean {
  const margin = 100;
  const from = new Date(requestReceivedTimestamp).getTime();
  const to = new Date(stageTimestamp).getTime();
  return from <= moment.getTime() + margin && to >= moment.getTime() - margin;
}

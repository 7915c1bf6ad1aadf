import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Door } from '../src/model/capability.ts';
import { DOORS, grants, LOOKUP_PRICES } from '../src/model/doors.ts';
import type { PodTarget } from '../src/model/targets.ts';
import { createKubeAdapters, type KubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { readAudit } from './cluster/audit-log.ts';
import { NODES } from './cluster/control-plane.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);

/** The rights that the price list names, and no others. */
const RIGHTS = grants(Object.keys(DOORS) as Door[], Object.values(LOOKUP_PRICES).flat());

const cluster = useCluster();
const folder = makeScratch();
let kube: KubeAdapters;

beforeAll(async () => {
  const user = { kind: 'User', name: 'talon' } as const;
  const rules = RIGHTS.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs }));
  await cluster.allow(user, rules);
  writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig());
  kube = createKubeAdapters({ kubeconfig: join(folder, 'kubeconfig') });
  await kube.init();
});
afterAll(async () => {
  await kube?.close();
  removeScratch(folder);
});

function target({ metadata: { name, namespace = '', uid } }: KubeObject, as = uid): PodTarget {
  return { kind: 'pod', namespace, name, uid: as };
}
/** A UID that no object has. */
const NOBODY = '00000000-0000-4000-8000-000000000000';

const failureOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

/** Makes a disruption budget, as if the disruption controller had counted so many allowed disruptions. */
async function budget({ name: namespace }: TestNamespace, app: string, disruptionsAllowed?: number): Promise<void> {
  const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
  if (!(await cluster.api.find(`${path}/${app}`))) {
    const spec = { minAvailable: 1, selector: { matchLabels: { app } } };
    await cluster.api.must('POST', path, { metadata: { name: app }, spec });
  }
  if (disruptionsAllowed === undefined) return;
  const counts = { currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed };
  await cluster.api.mergePatch(`${path}/${app}/status`, { status: { observedGeneration: 1, ...counts } });
}

describe('pods.evict', () => {
  it('takes a disruption budget for an answer, and evicts when it allows', async () => {
    const namespace = await cluster.namespace('budget');
    const pod = await namespace.pod('web', { labels: { app: 'web' } });
    const evict = () => kube.adapters['pods.evict'](target(pod), signal);
    await budget(namespace, 'web');
    expect(await evict()).toEqual({ evicted: false, retryAfterMs: 10_000 });
    await budget(namespace, 'web', 0);
    expect(await evict()).toEqual({ evicted: false, retryAfterMs: 5000 });
    expect(await namespace.isGone(pod)).toBe(false);
    await budget(namespace, 'web', 1);
    expect(await evict()).toEqual({ evicted: true });
    await waitUntil('the pod to have ended', async () => (await namespace.find(pod.metadata.name)) === undefined);
    expect(await evict()).toEqual({ evicted: true });
    const evictions = namespace.audit().filter(({ objectRef }) => objectRef?.subresource === 'eviction');
    expect(evictions.map(({ responseStatus }) => responseStatus?.code)).toEqual([429, 429, 201, 404]);
  });

  it('spares the successor of the pod that was meant', async () => {
    const namespace = await cluster.namespace('successor');
    const pod = await namespace.pod('web');
    expect(await kube.adapters['pods.evict'](target(pod, NOBODY), signal)).toEqual({ evicted: true });
    expect(await namespace.isGone(pod)).toBe(false);
  });
});

describe('a UID that another pod has', () => {
  it('is a final refusal to label and to delete, in the words of the API server', async () => {
    const namespace = await cluster.namespace('uid');
    const pod = await namespace.pod('web');
    const label = await failureOf(kube.adapters['pods.label'](target(pod, NOBODY), { a: 'b' }, signal));
    expect(label).toMatchObject({ code: 'refused', message: expect.stringContaining(NOBODY) });
    const deletion = await failureOf(kube.adapters['pods.delete'](target(pod, NOBODY), 0, signal));
    expect(deletion).toMatchObject({ code: 'refused', message: expect.stringContaining(NOBODY) });
    expect(await namespace.isGone(pod)).toBe(false);
    expect(await namespace.labels('web')).toBeUndefined();
    await kube.adapters['pods.label'](target(pod), { a: 'b' }, signal);
    expect(await namespace.labels('web')).toEqual({ a: 'b' });
  });
});

describe('nodes.pods', () => {
  it('finds the pods of a node in all namespaces, over several pages', async () => {
    const [first, second] = [await cluster.namespace('many'), await cluster.namespace('few')];
    const [owned] = await second.workload('ReplicaSet', 'set', 1);
    const bound = async (name: string, annotations: Record<string, string> = {}) =>
      cluster.api.must('POST', first.pods(), {
        metadata: { name, annotations },
        spec: { nodeName: NODES[1], containers: [{ name: 'main', image: 'registry.example/app:1' }] },
      });
    const made = await Promise.all(Array.from({ length: 260 }, (_, number) => bound(`web-${number}`)));
    const mirror = await bound('static', { 'kubernetes.io/config.mirror': 'x' });

    const found = await kube.adapters['nodes.pods']({ kind: 'node', name: NODES[1] }, signal);
    const byName = (a: PodTarget, b: PodTarget) => (a.name < b.name ? -1 : 1);
    expect(found.map(({ pod }) => pod).toSorted(byName)).toEqual(
      [...made, mirror].map((pod) => target(pod)).toSorted(byName),
    );
    expect(found.filter((pod) => pod.mirror).map(({ pod }) => pod.name)).toEqual(['static']);
    const lists = readAudit(cluster.plane.address.auditLog).filter(
      ({ verb, user, requestURI }) =>
        verb === 'list' && user.username === 'talon' && requestURI.includes(`spec.nodeName%3D${NODES[1]}`),
    );
    expect(lists).toHaveLength(2);

    const others = await kube.adapters['nodes.pods']({ kind: 'node', name: NODES[0] }, signal);
    expect(others).toContainEqual({ pod: target(owned!), ownerKind: 'ReplicaSet', mirror: false, self: false });
  });
});

describe('pods.gone', () => {
  const remove = (namespace: TestNamespace, name: string) =>
    cluster.api.must('DELETE', namespace.pods(name), { gracePeriodSeconds: 1 });

  it('hears of it from one watch for all pods of a namespace', async () => {
    const namespace = await cluster.namespace('gone');
    const pods = await Promise.all(Array.from({ length: 20 }, (_, number) => namespace.pod(`web-${number}`)));
    const waits = pods.map((pod) => kube.adapters['pods.gone'](target(pod), 20_000, signal));
    await sleep(500);
    for (const { metadata } of pods) await remove(namespace, metadata.name);
    expect(await Promise.all(waits)).toEqual(pods.map(() => true));
    // A watch is in the log when it begins and when it ends.
    const requests = (verb: string) =>
      new Set(namespace.audit().flatMap((record) => (record.verb === verb ? record.auditID : [])));
    await waitUntil('the watch in the audit log', () => requests('watch').size > 0);
    expect(requests('watch').size).toBe(1);
    // One before the watch and one when it is open.
    expect(requests('get').size).toBeLessThanOrEqual(2 * pods.length);
  });

  it('is false for a pod that stays, and true for one that was replaced', async () => {
    const namespace = await cluster.namespace('stays');
    const pod = await namespace.pod('web');
    expect(await kube.adapters['pods.gone'](target(pod), 300, signal)).toBe(false);
    expect(await kube.adapters['pods.gone'](target(pod, NOBODY), 300, signal)).toBe(true);
  });

  it('outlasts an API server that is away for a while', async () => {
    const namespace = await cluster.namespace('away');
    const pod = await namespace.pod('web');
    const wait = kube.adapters['pods.gone'](target(pod), 45_000, signal);
    await sleep(300);
    await cluster.plane.stopApiServer();
    await sleep(2000);
    await cluster.plane.startApiServer();
    expect(await namespace.isGone(pod)).toBe(false);
    await remove(namespace, 'web');
    expect(await wait).toBe(true);
  });
});

describe('an API server that starts', () => {
  it('refuses nothing, whatever it says before it knows who may do what', async () => {
    const namespace = await cluster.namespace('restart');
    const pod = target(await namespace.pod('web'));
    const answers = new Set<string>();
    let over = false;
    const asking = (async () => {
      for (; !over; await sleep(5)) {
        const answer = await kube.adapters['pods.label'](pod, { a: 'b' }, signal).then(
          () => 'done',
          ({ code }: { code: string }) => code,
        );
        answers.add(answer);
      }
    })();
    await sleep(200);
    await cluster.plane.stopApiServer();
    await sleep(500);
    await cluster.plane.startApiServer();
    await sleep(1000);
    over = true;
    await asking;
    expect([...answers].sort()).toEqual(['done', 'unreachable']);
  });
});

describe('the facts for guards', () => {
  it('are those of the pod and of its node', async () => {
    const namespace = await cluster.namespace('facts');
    const [pod] = await namespace.workload('DaemonSet', 'agent');
    expect(await kube.lookups.pod(target(pod!), signal)).toEqual({
      namespace: namespace.name,
      name: pod!.metadata.name,
      uid: pod!.metadata.uid,
      labels: pod!.metadata.labels,
      owner: { kind: 'DaemonSet', name: 'agent' },
      node: NODES[0],
      containerIds: ['main'],
    });
    const node = await kube.lookups.node({ kind: 'node', name: NODES[0] }, signal);
    expect(node.hostnames).toContain(NODES[0]);
    expect(await failureOf(kube.lookups.node({ kind: 'node', name: 'nowhere' }, signal))).toMatchObject({
      code: 'not-found',
    });
  });
});

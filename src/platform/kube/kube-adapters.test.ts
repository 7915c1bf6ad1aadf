import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeTarget } from '../../model/targets.ts';
import { createKubeAdapters } from './kube-adapters.ts';
import { failureOf, POD_PATH, pod, READ, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, statusOf, TOKEN, type WholeAnswer } from './recording-api.ts';

const recorded = useRecordedKube();

const node: NodeTarget = { kind: 'node', name: 'node-1' };

function podBody(metadata: object = {}, spec: object = {}): Answer {
  return {
    status: 200,
    body: { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', uid: 'uid-1', ...metadata }, spec },
  };
}
function ownedBy(...references: object[]): Answer {
  return podBody({
    ownerReferences: references.map((reference) => ({ apiVersion: 'apps/v1', uid: 'o', ...reference })),
  });
}

describe('pods.label', () => {
  it('is one merge patch, in which null removes', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, podBody());
    await recorded.kube.adapters['pods.label'](pod(), { a: 'b', gone: null, 'x.example/y': '' }, signal);
    expect(recorded.api.seen).toEqual([
      {
        line: `PATCH ${POD_PATH}`,
        type: 'application/merge-patch+json',
        authorization: `Bearer ${TOKEN}`,
        body: { metadata: { labels: { a: 'b', gone: null, 'x.example/y': '' } } },
      },
    ]);
  });

  it('is tied to the UID, where that is known', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, podBody());
    await recorded.kube.adapters['pods.label']({ ...pod(), uid: 'uid-1' }, { a: 'b' }, signal);
    expect(recorded.api.seen[0]?.body).toEqual({ metadata: { uid: 'uid-1', labels: { a: 'b' } } });
  });
});

describe('pods.delete', () => {
  it('is tied to the UID of the pod that it looked up, and always says how long it waits', async () => {
    recorded.api.answers.set(READ, podBody());
    recorded.api.answers.set(`DELETE ${POD_PATH}`, podBody());
    await recorded.kube.adapters['pods.delete'](pod(), 0, signal);
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([READ, `DELETE ${POD_PATH}`]);
    expect(recorded.api.seen[1]?.body).toMatchObject({ gracePeriodSeconds: 0, preconditions: { uid: 'uid-1' } });
  });

  it('needs no lookup where the UID is known', async () => {
    recorded.api.answers.set(`DELETE ${POD_PATH}`, podBody());
    await recorded.kube.adapters['pods.delete']({ ...pod(), uid: 'uid-0' }, 30, signal);
    expect(recorded.api.seen).toHaveLength(1);
    expect(recorded.api.seen[0]?.body).toMatchObject({ gracePeriodSeconds: 30, preconditions: { uid: 'uid-0' } });
  });

  it('shares the lookup with the other doors of the step', async () => {
    recorded.api.answers.set(READ, podBody({}, { nodeName: 'node-1' }));
    recorded.api.answers.set(`DELETE ${POD_PATH}`, podBody());
    const target = pod();
    await Promise.all([
      recorded.kube.adapters['pods.owner'](target, signal),
      recorded.kube.adapters['nodes.ofPod'](target, signal),
    ]);
    await recorded.kube.adapters['pods.delete'](target, 0, signal);
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([READ, `DELETE ${POD_PATH}`]);
  });

  it('does not keep a lookup that failed', async () => {
    recorded.api.answers.set(READ, statusOf(503, 'ServiceUnavailable', 'not yet'));
    const target = pod();
    await failureOf(recorded.kube.adapters['pods.delete'](target, 0, signal));
    recorded.api.answers.set(READ, podBody());
    recorded.api.answers.set(`DELETE ${POD_PATH}`, podBody());
    await recorded.kube.adapters['pods.delete'](target, 0, signal);
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([READ, READ, `DELETE ${POD_PATH}`]);
  });

  it('says of a pod that was replaced what the API server says', async () => {
    recorded.api.answers.set(READ, podBody());
    recorded.api.answers.set(
      `DELETE ${POD_PATH}`,
      statusOf(409, 'Conflict', 'Precondition failed: UID in precondition: uid-1'),
    );
    expect(await failureOf(recorded.kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject({
      code: 'refused',
      message: 'Precondition failed: UID in precondition: uid-1',
    });
  });
});

describe('pods.evict', () => {
  const EVICT = `POST ${POD_PATH}/eviction`;
  const evict = (target = { ...pod(), uid: 'uid-1' }) => recorded.kube.adapters['pods.evict'](target, signal);

  it('is tied to the UID, and leaves the grace period to the pod', async () => {
    recorded.api.answers.set(EVICT, { status: 201, body: { kind: 'Status', status: 'Success' } });
    expect(await evict()).toEqual({ evicted: true });
    expect(recorded.api.seen).toMatchObject([{ line: EVICT, type: 'application/json' }]);
    expect(recorded.api.seen[0]?.body).toEqual({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'web', namespace: 'shop' },
      deleteOptions: { preconditions: { uid: 'uid-1' } },
    });
  });

  it('looks the UID up where it is not known', async () => {
    recorded.api.answers.set(READ, podBody());
    recorded.api.answers.set(EVICT, { status: 201, body: {} });
    expect(await recorded.kube.adapters['pods.evict'](pod(), signal)).toEqual({ evicted: true });
    expect(recorded.api.seen.map(({ line }) => line)).toEqual([READ, EVICT]);
    expect(recorded.api.seen[1]?.body).toMatchObject({ deleteOptions: { preconditions: { uid: 'uid-1' } } });
  });

  it.each<[string, WholeAnswer, number]>([
    ['5 s where nobody says', statusOf(429, 'TooManyRequests', "it would violate the pod's disruption budget"), 5000],
    [
      'as long as the answer says',
      { status: 429, body: { kind: 'Status', details: { retryAfterSeconds: 10 } } },
      10_000,
    ],
    ['as long as the header says', { status: 429, body: 'slow down', headers: { 'retry-after': '1' } }, 1000],
  ])('takes too many requests for an answer: %s', async (_, answer, retryAfterMs) => {
    recorded.api.answers.set(EVICT, answer);
    expect(await evict()).toEqual({ evicted: false, retryAfterMs });
  });

  it('counts a pod that is gone as evicted', async () => {
    expect(await evict()).toEqual({ evicted: true });
    expect(await recorded.kube.adapters['pods.evict'](pod(), signal)).toEqual({ evicted: true });
    recorded.api.answers.set(
      EVICT,
      statusOf(409, 'Conflict', 'Precondition failed: UID in precondition: uid-1, UID in object meta: uid-2'),
    );
    expect(await evict()).toEqual({ evicted: true });
  });

  it.each<[string, Answer, string]>([
    ['a refusal', statusOf(403, 'Forbidden', 'no'), 'refused'],
    ['a conflict', statusOf(409, 'Conflict', 'changed meanwhile'), 'conflict'],
    ['two budgets', statusOf(500, 'InternalError', 'more than one PodDisruptionBudget'), 'busy'],
    ['a broken connection', 'hang up', 'unreachable'],
  ])('fails for %s', async (_, answer, code) => {
    recorded.api.answers.set(EVICT, answer);
    expect(await failureOf(evict())).toMatchObject({ code });
  });
});

describe('pods.owner', () => {
  const owner = () => recorded.kube.adapters['pods.owner'](pod(), signal);

  it('is null for a standalone pod', async () => {
    recorded.api.answers.set(READ, podBody());
    expect(await owner()).toBeNull();
  });

  it.each(['DaemonSet', 'StatefulSet', 'ReplicaSet'])('is a %s, without a second request', async (kind) => {
    recorded.api.answers.set(READ, ownedBy({ kind, name: 'x', controller: true }));
    expect(await owner()).toEqual({ kind, name: 'x' });
    expect(recorded.api.seen).toHaveLength(1);
  });

  it('prefers the reference that controls', async () => {
    recorded.api.answers.set(
      READ,
      ownedBy({ kind: 'Thing', name: 'x' }, { kind: 'DaemonSet', name: 'y', controller: true }),
    );
    expect(await owner()).toEqual({ kind: 'DaemonSet', name: 'y' });
  });

  it('is the first reference where none controls', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'StatefulSet', name: 'x' }, { kind: 'DaemonSet', name: 'y' }));
    expect(await owner()).toEqual({ kind: 'StatefulSet', name: 'x' });
  });

  it.each([
    { kind: 'Job', apiVersion: 'batch/v1' },
    { kind: 'Node', apiVersion: 'v1' },
    { kind: 'ReplicaSet', apiVersion: 'example.org/v1' },
  ])('is another for $kind of $apiVersion', async (reference) => {
    recorded.api.answers.set(READ, ownedBy({ ...reference, name: 'x', controller: true }));
    expect(await owner()).toEqual({ kind: 'other', name: 'x' });
  });
});

describe('pods.replicas', () => {
  const replicaSet = '/apis/apps/v1/namespaces/shop/replicasets/rs';
  const replicas = () => recorded.kube.adapters['pods.replicas'](pod(), signal);

  it('are those that the ReplicaSet wants and has ready', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    recorded.api.answers.set(`GET ${replicaSet}`, {
      status: 200,
      body: { spec: { replicas: 4 }, status: { readyReplicas: 3 } },
    });
    expect(await replicas()).toEqual({ wanted: 4, ready: 3 });
  });

  it('are none where the ReplicaSet says nothing of ready ones', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    recorded.api.answers.set(`GET ${replicaSet}`, {
      status: 200,
      body: { spec: { replicas: 4 }, status: { replicas: 4 } },
    });
    expect(await replicas()).toEqual({ wanted: 4, ready: 0 });
  });

  it('cost no second lookup of the pod behind its owner', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    recorded.api.answers.set(`GET ${replicaSet}`, { status: 200, body: { spec: { replicas: 1 } } });
    const target = pod();
    await recorded.kube.adapters['pods.owner'](target, signal);
    await recorded.kube.adapters['pods.replicas'](target, signal);
    expect(recorded.api.seen).toHaveLength(2);
  });

  it('fail when the ReplicaSet is gone', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'ReplicaSet', name: 'rs', controller: true }));
    recorded.api.answers.set(`GET ${replicaSet}`, statusOf(404, 'NotFound', 'replicasets.apps "rs" not found'));
    expect(await failureOf(replicas())).toMatchObject({
      code: 'refused',
      message: "the replicaset 'rs' in the namespace 'shop' doesn't exist",
    });
  });

  it('are refused for a pod of another owner', async () => {
    recorded.api.answers.set(READ, ownedBy({ kind: 'DaemonSet', name: 'x', controller: true }));
    expect(await failureOf(replicas())).toMatchObject({
      code: 'refused',
      message: "the pod 'web' in the namespace 'shop' belongs to no ReplicaSet",
    });
  });
});

describe('nodes', () => {
  it('are found by the pod that runs on them', async () => {
    recorded.api.answers.set(READ, podBody({}, { nodeName: 'node-1' }));
    expect(await recorded.kube.adapters['nodes.ofPod'](pod(), signal)).toEqual(node);
  });

  it.each([{}, { nodeName: '' }, { nodeName: '../namespaces/x' }])('are not found by %j', async (spec) => {
    recorded.api.answers.set(READ, podBody({}, spec));
    expect(await failureOf(recorded.kube.adapters['nodes.ofPod'](pod(), signal))).toMatchObject({
      code: 'refused',
      message: "the pod 'web' in the namespace 'shop' is on no node yet",
    });
  });

  it('are labeled by one merge patch', async () => {
    recorded.api.answers.set('PATCH /api/v1/nodes/node-1', { status: 200, body: {} });
    await recorded.kube.adapters['nodes.label'](node, { a: 'b', gone: null }, signal);
    expect(recorded.api.seen).toMatchObject([
      { type: 'application/merge-patch+json', body: { metadata: { labels: { a: 'b', gone: null } } } },
    ]);
  });

  it('that do not exist are named', async () => {
    recorded.api.answers.set('PATCH /api/v1/nodes/node-1', statusOf(404, 'NotFound', 'nodes "node-1" not found'));
    expect(await failureOf(recorded.kube.adapters['nodes.label'](node, { a: 'b' }, signal))).toMatchObject({
      code: 'refused',
      message: `error getting node 'node-1': nodes "node-1" not found`,
    });
  });
});

describe('before init', () => {
  it('the doors are shut', async () => {
    const early = createKubeAdapters({ kubeconfig: recorded.api.kubeconfig() });
    const shut = { code: 'unreachable', message: 'wrong k8s client' };
    expect(await failureOf(early.adapters['pods.owner'](pod(), signal))).toMatchObject(shut);
    expect(await failureOf(early.lookups.pod(pod(), signal))).toMatchObject(shut);
    expect(recorded.api.seen).toEqual([]);
  });

  it('that failed, they stay shut, until one succeeds', async () => {
    const file = path.join(recorded.api.folder, 'later');
    const late = createKubeAdapters({ kubeconfig: file });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await failureOf(late.init())).toMatchObject({ message: `open ${file}: no such file or directory` });
      expect(await failureOf(late.adapters['pods.label'](pod(), {}, signal))).toMatchObject({
        message: 'wrong k8s client',
      });
    }
    recorded.api.kubeconfig('later');
    recorded.api.answers.set(`PATCH ${POD_PATH}`, podBody());
    await late.init();
    await late.adapters['pods.label'](pod(), { a: 'b' }, signal);
    await late.close();
  });
});

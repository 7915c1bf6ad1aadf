import { describe, expect, it } from 'vitest';
import { failureOf, pod, READ, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const POD_LABELS = {
  tier: 'front',
  app: 'web',
  'pod-template-hash': 'abc',
  'pod-template-generation': '1',
  'controller-revision-hash': 'web-1',
};
const workload = () => recorded.kube.adapters['pods.workload'](pod(), signal);

const object = (body: object): Answer => ({ status: 200, body });
const owned = (kind: string, name: string, apiVersion = 'apps/v1') => ({
  kind,
  name,
  apiVersion,
  uid: 'o',
  controller: true,
});
function podWith(labels: object | undefined, ...ownerReferences: object[]): Answer {
  return object({ kind: 'Pod', metadata: { name: 'web', ...(labels && { labels }), ownerReferences } });
}
function answerOwner(resource: string, matchLabels: object | undefined, ...ownerReferences: object[]) {
  recorded.api.answers.set(
    `GET /apis/apps/v1/namespaces/shop/${resource}`,
    object({ metadata: { ownerReferences }, spec: { selector: matchLabels ? { matchLabels } : {} } }),
  );
}
const found = (name: string, labels: object = { app: 'web' }) => ({
  kind: 'workload',
  name,
  namespace: 'shop',
  labels,
});

describe('pods.workload', () => {
  it.each([
    ['DaemonSet', 'daemonsets', 'controller-revision-hash', 'web-1'],
    ['StatefulSet', 'statefulsets', 'controller-revision-hash', 'web-1'],
    ['ReplicaSet', 'replicasets', 'pod-template-hash', 'abc'],
  ])('is the %s of the pod, by the labels that it selects by', async (kind, resource, key, hash) => {
    recorded.api.answers.set(READ, podWith(POD_LABELS, owned(kind, 'set')));
    answerOwner(`${resource}/set`, { app: 'web', [key]: hash });
    expect(await workload()).toEqual(found('set'));
  });

  it('is the Deployment of its ReplicaSet', async () => {
    recorded.api.answers.set(READ, podWith(POD_LABELS, owned('ReplicaSet', 'web-abc')));
    answerOwner('replicasets/web-abc', { app: 'web', 'pod-template-hash': 'abc' }, owned('Deployment', 'web'));
    expect(await workload()).toEqual(found('web'));
    expect(recorded.api.seen).toHaveLength(2);
  });

  it.each([
    ['of another kind', owned('Rollout', 'web', 'argoproj.io/v1alpha1')],
    ['of another group', owned('Deployment', 'web', 'example.org/v1')],
    ['that does not control it', { ...owned('Deployment', 'web'), controller: false }],
  ])('is the ReplicaSet where that has an owner %s', async (_, owner) => {
    recorded.api.answers.set(READ, podWith(POD_LABELS, owned('ReplicaSet', 'web-abc')));
    answerOwner('replicasets/web-abc', { app: 'web' }, owner);
    expect(await workload()).toEqual(found('web-abc'));
  });

  it('is the pod itself where it has no owner, by all of its labels, sorted', async () => {
    recorded.api.answers.set(READ, podWith(POD_LABELS));
    const answer = await workload();
    expect(answer).toEqual(found('web', { app: 'web', tier: 'front' }));
    expect(Object.keys(answer?.labels ?? {})).toEqual(['app', 'tier']);
    expect(recorded.api.seen).toHaveLength(1);
  });

  it('follows the reference that controls', async () => {
    recorded.api.answers.set(
      READ,
      podWith(POD_LABELS, { ...owned('DaemonSet', 'other'), controller: false }, owned('StatefulSet', 'set')),
    );
    answerOwner('statefulsets/set', { app: 'web' });
    expect(await workload()).toEqual(found('set'));
  });

  it('leaves out labels that the pod does not have', async () => {
    recorded.api.answers.set(READ, podWith({ app: 'web', tier: 'back' }, owned('DaemonSet', 'set')));
    answerOwner('daemonsets/set', { app: 'web', tier: 'front', role: 'x' });
    expect(await workload()).toEqual(found('set'));
  });

  it.each([
    ['has an owner of another kind', podWith(POD_LABELS, owned('Job', 'job', 'batch/v1'))],
    ['has no labels', podWith(undefined)],
    ['has labels of its revision alone', podWith({ 'pod-template-hash': 'abc' })],
    ['has an owner that is gone', podWith(POD_LABELS, owned('StatefulSet', 'gone'))],
  ])('is nothing where the pod %s', async (_, answer) => {
    recorded.api.answers.set(READ, answer);
    expect(await workload()).toBeNull();
  });

  it.each([
    ['by nothing', undefined],
    ['by its revision alone', { 'pod-template-hash': 'abc' }],
    ["by another pod's labels", { app: 'other' }],
  ])('is nothing where the owner selects %s', async (_, matchLabels) => {
    recorded.api.answers.set(READ, podWith(POD_LABELS, owned('ReplicaSet', 'web-abc')));
    answerOwner('replicasets/web-abc', matchLabels);
    expect(await workload()).toBeNull();
  });

  it('fails for a pod that does not exist', async () => {
    expect(await failureOf(workload())).toMatchObject({
      code: 'not-found',
      message: "the pod 'web' in the namespace 'shop' doesn't exist",
    });
  });

  it('fails for an owner that may not be read', async () => {
    recorded.api.answers.set(READ, podWith(POD_LABELS, owned('DaemonSet', 'set')));
    recorded.api.answers.set('GET /apis/apps/v1/namespaces/shop/daemonsets/set', statusOf(403, 'Forbidden', 'no'));
    expect(await failureOf(workload())).toMatchObject({ code: 'refused', message: 'no' });
  });
});

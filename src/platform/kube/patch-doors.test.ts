import { describe, expect, it } from 'vitest';
import type { NodeTarget } from '../../model/targets.ts';
import { failureOf, POD_PATH, pod, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const node: NodeTarget = { kind: 'node', name: 'node-1' };
const NODE_PATH = '/api/v1/nodes/node-1';
const done: Answer = { status: 200, body: {} };
const door = () => recorded.kube.adapters;
const changes = { note: 'x'.repeat(5_000), gone: null };

describe.each<[string, string, () => Promise<void>, object]>([
  ['pods.annotate', POD_PATH, () => door()['pods.annotate'](pod(), changes, signal), { annotations: changes }],
  ['nodes.annotate', NODE_PATH, () => door()['nodes.annotate'](node, changes, signal), { annotations: changes }],
  ['nodes.label', NODE_PATH, () => door()['nodes.label'](node, changes, signal), { labels: changes }],
])('%s', (_, path, act, metadata) => {
  it('is one merge patch, in which null removes', async () => {
    recorded.api.answers.set(`PATCH ${path}`, done);
    await act();
    expect(recorded.api.seen).toMatchObject([
      { line: `PATCH ${path}`, type: 'application/merge-patch+json', body: { metadata } },
    ]);
  });
});

describe('pods.annotate', () => {
  const annotate = (target = pod()) => door()['pods.annotate'](target, { a: 'b' }, signal);

  it('is tied to the UID, where that is known', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, done);
    await annotate({ ...pod(), uid: 'uid-1' });
    expect(recorded.api.seen[0]?.body).toEqual({ metadata: { uid: 'uid-1', annotations: { a: 'b' } } });
  });

  it.each<[string, Answer, object]>([
    [
      'a pod that is not there',
      statusOf(404, 'NotFound', 'pods "web" not found'),
      { code: 'not-found', message: "the pod 'web' in the namespace 'shop' doesn't exist" },
    ],
    ['missing rights', statusOf(403, 'Forbidden', 'pods "web" is forbidden'), { code: 'refused' }],
    ['what is too long', statusOf(422, 'Invalid', 'must have at most 262144 bytes'), { code: 'refused' }],
    ['a busy server', statusOf(429, 'TooManyRequests', 'later'), { code: 'busy' }],
    ['a broken connection', 'hang up', { code: 'unreachable' }],
  ])('fails for %s', async (_, answer, failure) => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, answer);
    expect(await failureOf(annotate())).toMatchObject(failure);
  });
});

describe('nodes.cordon', () => {
  it('sets the one field, and no other', async () => {
    recorded.api.answers.set(`PATCH ${NODE_PATH}`, done);
    await door()['nodes.cordon'](node, signal);
    expect(recorded.api.seen).toMatchObject([
      { line: `PATCH ${NODE_PATH}`, type: 'application/merge-patch+json', body: { spec: { unschedulable: true } } },
    ]);
  });

  it('says that there is no such node', async () => {
    recorded.api.answers.set(`PATCH ${NODE_PATH}`, statusOf(404, 'NotFound', 'nodes "node-1" not found'));
    expect(await failureOf(door()['nodes.cordon'](node, signal))).toMatchObject({
      code: 'refused',
      message: 'error getting node \'node-1\': nodes "node-1" not found',
    });
  });
});

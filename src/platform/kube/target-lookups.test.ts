import { describe, expect, it } from 'vitest';
import { failureOf, pod, READ, signal, useRecordedKube } from './recorded-kube.ts';
import { statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const node = { kind: 'node', name: 'node-1' } as const;
const READ_NODE = 'GET /api/v1/nodes/node-1';

describe('the facts of a pod', () => {
  const facts = () => recorded.kube.lookups.pod(pod(), signal);

  it('are those that the API server has', async () => {
    recorded.api.answers.set(READ, {
      status: 200,
      body: {
        metadata: {
          name: 'web',
          namespace: 'shop',
          uid: 'uid-1',
          labels: { app: 'web' },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'o', controller: true }],
        },
        spec: { nodeName: 'node-1' },
        status: {
          containerStatuses: [
            {
              containerID: 'containerd://c1',
              lastState: { terminated: { containerID: 'containerd://c0' } },
            },
            { containerID: 'cri-o://c2', state: { terminated: { containerID: 'cri-o://c2' } } },
            { name: 'not there yet', state: { waiting: {} } },
          ],
          initContainerStatuses: [{ containerID: 'docker://i1' }],
          ephemeralContainerStatuses: [{ containerID: 'containerd://e1' }],
        },
      },
    });
    expect(await facts()).toEqual({
      namespace: 'shop',
      name: 'web',
      uid: 'uid-1',
      labels: { app: 'web' },
      owner: { kind: 'ReplicaSet', name: 'rs' },
      node: 'node-1',
      containerIds: ['c1', 'c0', 'c2', 'i1', 'e1'],
    });
  });

  it('are there for a pod that nobody has bound, labeled or started', async () => {
    recorded.api.answers.set(READ, {
      status: 200,
      body: { metadata: { name: 'web', namespace: 'shop', uid: 'uid-1' }, spec: {}, status: {} },
    });
    expect(await facts()).toMatchObject({ labels: {}, owner: null, node: '', containerIds: [] });
  });

  describe('name as owner', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'o', controller: true };
    const node = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'n', controller: true };
    const mirror = { 'kubernetes.io/config.mirror': 'hash' };
    it.each([
      [
        'what controls it',
        [{ ...owner, kind: 'Job', controller: false }, owner],
        {},
        { kind: 'DaemonSet', name: 'agent' },
      ],
      ['nothing that only says so', [{ ...owner, controller: undefined }], {}, null],
      ['the node of a static pod', [node], mirror, { kind: 'Node', name: 'node-1' }],
      ['no node of a pod that names it', [node], {}, { kind: 'other', name: 'node-1' }],
      ['no node on which it is not', [{ ...node, name: 'node-2' }], mirror, { kind: 'other', name: 'node-2' }],
      [
        'no node for a job of its name',
        [{ ...node, kind: 'Job', apiVersion: 'batch/v1' }],
        mirror,
        { kind: 'other', name: 'node-1' },
      ],
      [
        'no node of another API',
        [{ ...node, apiVersion: 'example.com/v1' }],
        mirror,
        { kind: 'other', name: 'node-1' },
      ],
    ])('%s', async (_, ownerReferences, annotations, expected) => {
      const metadata = { name: 'web', namespace: 'shop', uid: 'uid-1', ownerReferences, annotations };
      recorded.api.answers.set(READ, { status: 200, body: { metadata, spec: { nodeName: 'node-1' } } });
      expect((await facts()).owner).toEqual(expected);
    });
  });

  it('are never kept: a guard judges the present state', async () => {
    recorded.api.answers.set(READ, { status: 200, body: { metadata: { name: 'web', uid: 'uid-1' } } });
    const target = pod();
    await recorded.kube.lookups.pod(target, signal);
    await recorded.kube.lookups.pod(target, signal);
    expect(recorded.api.seen).toHaveLength(2);
  });

  it('are not found for a pod that does not exist, and only then', async () => {
    expect(await failureOf(facts())).toMatchObject({
      code: 'not-found',
      message: "the pod 'web' in the namespace 'shop' doesn't exist",
    });
    recorded.api.answers.set(READ, statusOf(503, 'ServiceUnavailable', 'not yet'));
    expect(await failureOf(facts())).toMatchObject({ code: 'busy' });
    recorded.api.answers.set(READ, 'hang up');
    expect(await failureOf(facts())).toMatchObject({ code: 'unreachable' });
  });
});

describe('the facts of a node', () => {
  const facts = () => recorded.kube.lookups.node(node, signal);

  it('are its labels and the names by which alerts may call it', async () => {
    const labels = { 'kubernetes.io/hostname': 'host-1', 'node-role.kubernetes.io/control-plane': '' };
    recorded.api.answers.set(READ_NODE, {
      status: 200,
      body: {
        metadata: { name: 'node-1', labels },
        status: {
          addresses: [
            { type: 'InternalIP', address: '10.0.0.1' },
            { type: 'Hostname', address: 'host-1' },
            { type: 'Hostname', address: 'host-1.example.org' },
          ],
        },
      },
    });
    expect(await facts()).toEqual({ name: 'node-1', labels, hostnames: ['node-1', 'host-1', 'host-1.example.org'] });
  });

  it('are its name at least', async () => {
    recorded.api.answers.set(READ_NODE, { status: 200, body: { metadata: { name: 'node-1' } } });
    expect(await facts()).toEqual({ name: 'node-1', labels: {}, hostnames: ['node-1'] });
  });

  it('are not found for a node that does not exist', async () => {
    expect(await failureOf(facts())).toMatchObject({ code: 'not-found', message: "the node 'node-1' doesn't exist" });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import { type KubeClient, openKubeClient } from './kube-client.ts';
import { nodeSource } from './node-context.ts';
import { READ, signal } from './recorded-kube.ts';
import { RecordingApi, statusOf } from './recording-api.ts';

const api = new RecordingApi();
let client: KubeClient;
beforeAll(async () => {
  await api.start();
  client = openKubeClient({ kubeconfig: api.kubeconfig() });
});
afterAll(async () => {
  await client.close();
  await api.stop();
});
beforeEach(() => api.reset());

const READ_NODE = 'GET /api/v1/nodes/node-1';
const source = nodeSource(() => client);
const ask = async (name = 'web', namespace = 'shop', until = signal) =>
  source.facts(await source.nodeOf({ name, namespace }, until), until);

function answerPod(nodeName: string | undefined = 'node-1') {
  api.answers.set(READ, { status: 200, body: { metadata: { name: 'web', namespace: 'shop' }, spec: { nodeName } } });
}

function answerNode(labels: Record<string, string>, providerID?: string) {
  api.answers.set(READ_NODE, { status: 200, body: { metadata: { name: 'node-1', labels }, spec: { providerID } } });
}

describe('the context k8snode', () => {
  it('tells what is known of the node of a pod', async () => {
    answerPod();
    answerNode(
      {
        'kubernetes.io/hostname': 'host-1',
        'node.kubernetes.io/instance-type': 'm5.large',
        'kubernetes.io/role': 'worker',
        'node-role.kubernetes.io/other': '',
        'topology.kubernetes.io/region': 'eu-west-1',
        'topology.kubernetes.io/zone': 'eu-west-1b',
      },
      'aws:///eu-west-1b/i-1',
    );
    expect(Object.fromEntries(await ask())).toEqual({
      'node.hostname': 'host-1',
      'node.instancetype': 'm5.large',
      'node.role': 'worker',
      'node.topology.region': 'eu-west-1',
      'node.topology.zone': 'eu-west-1b',
      'node.spec.providerid': 'aws:///eu-west-1b/i-1',
    });
  });

  it('finds roles where clusters have them, and leaves out what is empty', async () => {
    answerPod();
    answerNode({
      'node-role.kubernetes.io/etcd': '',
      'node-role.kubernetes.io/control-plane': '',
      'node-role.kubernetes.io/': '',
      'kubernetes.io/hostname': '',
    });
    expect(await ask()).toEqual(new Map([['node.role', 'control-plane,etcd']]));
  });

  const MISSING = "the pod 'web' in the namespace 'shop' doesn't exist";

  it('says what is not there, in the words of Falco Talon', async () => {
    api.answers.set(READ, statusOf(404, 'NotFound', 'pods "web" not found'));
    await expect(ask()).rejects.toMatchObject({ message: MISSING });
    answerPod();
    api.answers.set(READ_NODE, statusOf(404, 'NotFound', 'nodes "node-1" not found'));
    await expect(ask()).rejects.toMatchObject({ message: `error getting node 'node-1': nodes "node-1" not found` });
    api.answers.set(READ_NODE, statusOf(403, 'Forbidden', 'nodes "node-1" is forbidden'));
    await expect(ask()).rejects.toMatchObject({ message: `error getting node 'node-1': nodes "node-1" is forbidden` });
    answerPod('');
    await expect(ask()).rejects.toMatchObject({ message: "the pod 'web' in the namespace 'shop' is on no node yet" });
  });

  it('asks for no name that is none', async () => {
    await expect(ask('..', 'shop')).rejects.toMatchObject({
      message: "the pod '..' in the namespace 'shop' doesn't exist",
    });
    await expect(ask('web', '../nodes')).rejects.toMatchObject({
      message: "the pod 'web' in the namespace '../nodes' doesn't exist",
    });
    answerPod('../secrets');
    await expect(ask()).rejects.toThrow(DoorError);
    expect(api.seen.map(({ line }) => line)).toEqual([READ]);
  });

  it('tells when it was given up, or has no client', async () => {
    await expect(ask('web', 'shop', AbortSignal.abort())).rejects.toThrow(DoorError);
    const shut = () => {
      throw new DoorError('unreachable', 'wrong k8s client');
    };
    await expect(nodeSource(shut).facts('node-1', signal)).rejects.toThrow('wrong k8s client');
  });
});

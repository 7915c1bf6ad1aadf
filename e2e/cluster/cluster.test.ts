import { describe, expect, it } from 'vitest';
import { interpose } from './admission-webhook.ts';
import { KubeApi } from './kube-api.ts';
import { useCluster } from './use-cluster.ts';
import { waitUntil } from './wait-until.ts';

describe('the cluster that the other tests stand on', () => {
  const cluster = useCluster();

  it('runs a pod', async () => {
    const namespace = await cluster.namespace('pods');
    const pod = await namespace.pod('one', { labels: { app: 'one' } });
    expect(pod.status?.phase).toBe('Running');
    expect(await namespace.labels('one')).toEqual({ app: 'one' });
  });

  it.each(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'] as const)('runs the pods of a %s', async (kind) => {
    const namespace = await cluster.namespace('workloads');
    const pods = await namespace.workload(kind, 'app', 2);
    expect(pods).toHaveLength(kind === 'DaemonSet' ? 1 : 2);
    expect(pods[0]?.metadata.ownerReferences?.[0]?.kind).toBe(kind === 'Deployment' ? 'ReplicaSet' : kind);
  });

  it('counts ready replicas', async () => {
    const namespace = await cluster.namespace('ready');
    const [pod] = await namespace.workload('Deployment', 'app', 2);
    await namespace.untilReady(pod!, 2);
    await namespace.unready(pod!);
    await namespace.untilReady(pod!, 1);
  });

  it('replaces a deleted pod of a ReplicaSet', async () => {
    const namespace = await cluster.namespace('replace');
    const [pod] = await namespace.workload('ReplicaSet', 'app', 1);
    await cluster.api.must('DELETE', namespace.pods(pod!.metadata.name), { gracePeriodSeconds: 5 });
    await waitUntil('a new pod', async () => {
      const [now, ...more] = await namespace.podsOf('app');
      return now !== undefined && more.length === 0 && now.metadata.uid !== pod!.metadata.uid;
    });
    expect(await namespace.isGone(pod!)).toBe(true);
  });

  it('gives the user talon no more rights than its doors cost', async () => {
    const namespace = await cluster.namespace('rights');
    const talon = new KubeApi(cluster.plane.address.server, cluster.plane.address.talon);
    expect((await talon.call('GET', namespace.pods('absent'))).status).toBe(404);
    expect((await talon.call('GET', namespace.pods())).status).toBe(403);
    expect(namespace.audit().map(({ verb, user }) => `${user.username} ${verb}`)).toEqual(['talon get', 'talon list']);
    talon.close();
  });

  it.each([
    ['is refused with a precondition on the UID', true, 409],
    ['falls on the successor without one', false, 200],
  ])('can replace a pod in the middle of its deletion, which %s', async (_, guarded, status) => {
    const namespace = await cluster.namespace('interpose');
    // On a node, kwok would delete whatever has the name when it sees the old pod go.
    const old = await namespace.pod('web', { run: false });
    const hook = await interpose(cluster, namespace, 'DELETE', async () => {
      if (!(await namespace.isGone(old))) {
        await cluster.api.must('DELETE', namespace.pods('web'), { gracePeriodSeconds: 0 });
        await namespace.pod('web', { run: false });
      }
      return { allowed: true };
    });
    const talon = new KubeApi(cluster.plane.address.server, cluster.plane.address.talon);
    const preconditions = guarded ? { preconditions: { uid: old.metadata.uid } } : {};
    const answer = await talon.call('DELETE', namespace.pods('web'), { gracePeriodSeconds: 0, ...preconditions });
    expect(answer.status).toBe(status);
    expect((await namespace.find('web')) === undefined).toBe(!guarded);
    talon.close();
    await hook.close();
  });

  it('loses its API server and gets it back with its data', async () => {
    const namespace = await cluster.namespace('outage');
    await namespace.pod('kept');
    await cluster.plane.stopApiServer();
    await expect(cluster.api.call('GET', '/readyz')).rejects.toThrow('ECONNREFUSED');
    await cluster.plane.startApiServer();
    expect(await namespace.find('kept')).toBeDefined();
    expect((await namespace.pod('new')).status?.phase).toBe('Running');
  });
});

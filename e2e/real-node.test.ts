import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WatchEvent } from './cluster/kube-api.ts';
import { image, REAL_NODE } from './cluster/real-node.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';

describe('the real node that the other tests stand on', () => {
  const cluster = useRealCluster();
  let folder: string;

  beforeAll(() => {
    folder = makeScratch();
  });
  afterAll(() => removeScratch(folder));

  async function makePods(): Promise<RealPods> {
    return new RealPods(cluster, await cluster.namespace('real'));
  }

  it('runs a pod and has its log', async () => {
    const pods = await makePods();
    const pod = await pods.start('one', ['sh', '-c', 'echo first; echo second >&2; sleep infinity']);
    expect(pod.spec?.nodeName).toBe(REAL_NODE);
    // They go through two pipes, of which either may be read first.
    await waitUntil('both lines', async () => ['first\nsecond\n', 'second\nfirst\n'].includes(await pods.log('one')));
  });

  it('executes commands: output, exit code, input with its end', async () => {
    const pods = await makePods();
    await pods.start('one');
    expect(await pods.exec('one', ['sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await pods.exec('one', ['sh'], 'cat /www/index.html\nexit 3\n')).toMatchObject({
      code: 3,
      stdout: 'a page of the app\n',
    });
    expect(await pods.exec('one', ['wc', '-c'], 'x'.repeat(100_000))).toMatchObject({ code: 0, stdout: '100000\n' });
    await expect(pods.exec('one', ['no-such-program'])).rejects.toThrow('could not be executed');
  });

  it('runs tcpdump in an ephemeral container that may do no more than it needs', async () => {
    const pods = await makePods();
    await pods.start('web', ['httpd', '-f', '-p', '8080', '-h', '/www']);
    await pods.start('client');
    const securityContext = {
      runAsUser: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      // Debian's tcpdump gives up being root once it has its socket; then root needs KILL to end it.
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW', 'SETGID', 'SETUID', 'KILL'] },
    };
    const command = ['sh', '-c', 'timeout 20 tcpdump -n -i any -c 3 -w - > /tmp/packets'];
    const ephemeralContainers = [
      {
        name: 'capture',
        image: image('tcpdump'),
        imagePullPolicy: 'Always',
        command: ['sleep', '60'],
        securityContext,
      },
    ];
    const path = `${pods.namespace.pods('web')}/ephemeralcontainers`;
    await cluster.api.must('PATCH', path, { spec: { ephemeralContainers } }, 'application/strategic-merge-patch+json');
    await waitUntil('the ephemeral container to run', async () => {
      const statuses = (await pods.namespace.find('web'))?.status?.ephemeralContainerStatuses;
      return (statuses as readonly { readonly state?: { readonly running?: unknown } }[])?.[0]?.state?.running;
    });
    const capture = pods.exec('web', command, undefined, 'capture');
    const address = await pods.address('web');
    await waitUntil('packets', async () => {
      const page = await pods.exec('client', ['wget', '-q', '-O', '-', `http://${address}:8080/`]);
      expect(page.stdout).toBe('a page of the app\n');
      return Promise.race([capture.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 200, false))]);
    });
    expect(await capture).toMatchObject({ code: 0, stderr: expect.stringContaining('3 packets captured') });
    const read = await pods.exec('web', ['tcpdump', '-n', '-r', '/tmp/packets'], undefined, 'capture');
    expect(read.stdout).toContain(`${address}.8080`);
  });

  it('lets a pod end in its own time', async () => {
    const pods = await makePods();
    const script =
      "trap 'echo asked to end; sleep 2; echo has ended; exit 0' TERM; echo up; while :; do sleep 0.1; done";
    const file = join(folder, 'slow');
    const pod = await pods.startWriting('slow', script, file);
    await waitUntil('the trap', () => readFileSync(file, 'utf8') === 'up\n');
    const events: WatchEvent[] = [];
    const endWatch = await pods.namespace.watchPods((event) => events.push(event));
    await cluster.api.must('DELETE', pods.namespace.pods('slow'), { gracePeriodSeconds: 30 });
    await waitUntil('the pod to be gone', async () => (await pods.namespace.find('slow')) === undefined);
    endWatch();
    expect(readFileSync(file, 'utf8')).toBe('up\nasked to end\nhas ended\n');
    const of = (type: WatchEvent['type']) =>
      events.filter(({ type: each, object }) => each === type && object.metadata.uid === pod.metadata.uid);
    const marked = of('MODIFIED').find(({ object }) => object.metadata.deletionTimestamp !== undefined);
    expect(marked?.object.metadata.deletionGracePeriodSeconds).toBe(30);
    const took = of('DELETED')[0]!.at - marked!.at;
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(25_000);
  });

  it('refuses what the pod security of a namespace forbids', async () => {
    const pods = await makePods();
    await cluster.api.mergePatch(`/api/v1/namespaces/${pods.namespace.name}`, {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
    });
    const securityContext = { privileged: true };
    const containers = [{ name: 'main', image: image('app'), securityContext }];
    await expect(pods.start('one', [], { containers })).rejects.toThrow('violates PodSecurity');
  });
});

import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptProgram } from '../src/actionners/kubernetes/shell-program.ts';
import { grants } from '../src/model/doors.ts';
import type { ContainerTarget } from '../src/model/targets.ts';
import { createKubeAdapters, type KubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { Spool } from '../src/platform/spool/spool.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);

const DOORS_HERE = ['pods.containers', 'pods.exec', 'pods.capture', 'pods.logs', 'pods.keepLogs'] as const;
const FILE = { name: 'file', mediaType: 'application/octet-stream' };
const MEBIBYTE = 2 ** 20;

/** Whether a command line is one of those that are given a limit. */
const isLimited = (line: string) => line.includes('timeout') || line.includes('4712') || line.includes('eval');

describe('the doors to containers, on a real node', () => {
  const cluster = useRealCluster();
  const folder = makeScratch();
  let kube: KubeAdapters;
  let spool: Spool;
  let pods: RealPods;
  let main: ContainerTarget;

  beforeAll(async () => {
    const rules = grants(DOORS_HERE).map(({ group, resource, verbs }) => {
      return { apiGroups: [group], resources: [resource], verbs };
    });
    await cluster.allow({ kind: 'User', name: 'talon' }, rules);
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig());
    spool = await Spool.open({ folder: join(folder, 'spool'), maxBytes: 2 ** 31 });
    kube = createKubeAdapters({ kubeconfig: join(folder, 'kubeconfig') }, spool);
    await kube.init();
    pods = new RealPods(cluster, await cluster.namespace('doors'));
    await pods.start('web');
    const target = { kind: 'pod', namespace: pods.namespace.name, name: 'web' } as const;
    [main] = (await kube.adapters['pods.containers'](target, signal)) as [ContainerTarget];
  });
  afterAll(async () => {
    await kube?.close();
    removeScratch(folder);
  });

  const exec = (program: readonly string[], stdin = '', over = signal) =>
    kube.adapters['pods.exec'](main, program, stdin, over);
  const capture = (program: readonly string[]) => kube.adapters['pods.capture'](main, program, FILE, signal);
  /** Whether a process whose command line has this text runs in the pod. */
  const runs = async (text: string) => {
    const { stdout } = await exec(['ps', '-o', 'args']);
    return stdout.split('\n').some((line) => line.startsWith('sleep') && line.includes(text));
  };

  it('finds the containers of the very pod', () => {
    expect(main).toMatchObject({ name: 'main', pod: { uid: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
  });

  it('tells exit codes, both streams, and passes an input on', async () => {
    const both = await exec(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(both).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n', truncated: false });
    expect(await exec(['true'])).toMatchObject({ code: 0 });
    expect(await exec(['sh', '-c', 'kill -9 $$'])).toMatchObject({ code: 137 });
    expect(await exec(['head', '-c', '7'], 'x 😀\n')).toMatchObject({ code: 0, stdout: 'x 😀\n' });
    const [size, long] = [256 * 1024, 'x'.repeat(256 * 1024)];
    expect(await exec(['sh', '-c', `head -c ${size} | wc -c`], long)).toMatchObject({ stdout: `${size}\n` });
    expect(await exec(['cat'])).toMatchObject({ code: 0, stdout: '' });
  });

  it('takes a program that is not there for one that could not be started', async () => {
    expect(await exec(['no-such-program'])).toMatchObject({
      code: expect.toSatisfy((code: number) => code === 126 || code === 127),
      stderr: expect.stringContaining('no-such-program'),
    });
    const longest = await exec(['sh', '-c', 'echo $#', 'sh', 'x'.repeat(140_000)]);
    expect(longest).toMatchObject({ code: 1, stderr: expect.stringContaining('argument list too long') });
  });

  it('says so of a container that is not there, and of a pod that runs nowhere', async () => {
    const none = kube.adapters['pods.exec']({ ...main, name: 'none' }, ['true'], '', signal);
    await expect(none).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('none') });
    await pods.namespace.pod('idle', { run: false });
    const idle = kube.adapters['pods.exec']({ ...main, pod: { ...main.pod, name: 'idle' } }, ['true'], '', signal);
    await expect(idle).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('idle') });
    const gone = kube.adapters['pods.exec']({ ...main, pod: { ...main.pod, name: 'gone' } }, ['true'], '', signal);
    await expect(gone).rejects.toMatchObject({
      code: 'not-found',
      message: `the pod 'gone' in the namespace '${pods.namespace.name}' doesn't exist`,
    });
  });

  it('stores 500 MiB as they are, without holding them in memory', async () => {
    const size = 500 * MEBIBYTE;
    const program = ['sh', '-c', `head -c ${size} /dev/zero`];
    let most = 0;
    const before = process.memoryUsage().rss;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 50);
    const { artifact, code } = await capture(program);
    clearInterval(watch);
    expect(code).toBe(0);
    expect(artifact).toMatchObject({ size });
    expect(most / MEBIBYTE).toBeLessThan(64);
    await spool.remove(artifact?.handle ?? '');
  }, 180_000);

  it('stores binary bytes as they are, and nothing of a program that fails', async () => {
    const sum = await exec(['sha256sum', '/bin/busybox']);
    const { artifact } = await capture(['cat', '--', '/bin/busybox']);
    expect(sum.stdout).toContain(artifact?.sha256);
    expect(await capture(['sh', '-c', 'echo half; echo why >&2; exit 3'])).toEqual({
      code: 3,
      stderr: 'why\n',
      artifact: null,
    });
  });

  it('leaves a program running when the step is over, so that it needs a limit of its own', async () => {
    const over = new AbortController();
    const given = exec(['timeout', '-s', 'KILL', '6', 'sleep', '4711'], '', over.signal).catch(() => undefined);
    await waitUntil('the program to run', () => runs('4711'));
    over.abort();
    await given;
    await sleep(500);
    expect(await runs('4711')).toBe(true);
    await waitUntil('the program to end', async () => !(await runs('4711')), { timeout: 15_000 });
  });

  it('ends commands and scripts of a shell in time, whoever listens, and tells how others ended', async () => {
    const long = `: ${'x'.repeat(5000)}\n`;
    for (const padding of ['', long]) {
      const over = new AbortController();
      const { program, stdin } = scriptProgram('/bin/sh', `${padding}while :; do sleep 0.1; done; : 4712`, 3);
      const shells = async () => (await exec(['ps', '-o', 'args'])).stdout.split('\n').filter(isLimited).length;
      const given = exec(program, stdin, over.signal).catch(() => undefined);
      await waitUntil('the shell to run', async () => (await shells()) > 0);
      over.abort();
      await given;
      await waitUntil('the shell to end', async () => (await shells()) === 0, { timeout: 15_000 });
      const ended = scriptProgram('/bin/sh', `${padding}cat; echo "$# args"; exit 9`, 30);
      expect(await exec(ended.program, ended.stdin)).toMatchObject({ code: 9, stdout: '0 args\n' });
      const killed = scriptProgram('/bin/sh', `${padding}echo begun; while :; do sleep 0.1; done`, 1);
      expect(await exec(killed.program, killed.stdin)).toMatchObject({ code: 137, stdout: 'begun\n' });
    }
  });

  it('fetches logs', async () => {
    await pods.start('chatty', ['sh', '-c', 'for n in $(seq 1 100); do echo "line $n"; done; sleep infinity']);
    const chatty = { ...main, pod: { ...main.pod, name: 'chatty' } };
    await waitUntil('the lines', async () => (await pods.log('chatty')).includes('line 100'));
    expect(await kube.adapters['pods.logs'](chatty, 2, signal)).toBe('line 99\nline 100\n');
    const kept = await kube.adapters['pods.keepLogs'](chatty, 1, signal);
    expect(kept).toMatchObject({ name: 'log', size: 'line 100\n'.length });
  });
});

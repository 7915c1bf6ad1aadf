import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { Spool } from '../src/platform/spool/spool.ts';
import { podAlert } from './alert.ts';
import { image } from './cluster/real-node.ts';
import { RealPods, WAITING } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** The API server answers all the time; what it asks the node for fails. */
describe('a node whose kubelet is away', () => {
  const cluster = useRealCluster();
  let folder: string;
  let pods: RealPods;
  let talon: Talon;

  beforeAll(async () => {
    folder = makeScratch();
    mkdirSync(join(folder, 'files'));
    const rules = rulesFor(folder);
    const { kubeconfig } = await grantedTo(cluster, 'patient', rules);
    talon = await startTalon({ rules, kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('away'));
    await pods.start('web', ['sh', '-c', `echo logged; ${WAITING[2]}`]);
    const interpreter = `printf '#!/bin/sh\\nexec sh "$@"\\n' > ${OTHER}; chmod +x ${OTHER}`;
    await pods.exec('web', ['sh', '-c', interpreter]);
  });
  afterAll(async () => {
    await talon?.stop();
    removeScratch(folder);
  });

  it.each([
    ['runs a command once it is back, and only once', 'exec', 'run\n'],
    ['fetches the log once it is back', 'log', 'logged\n'],
    ['downloads once it is back', 'download', "the file '/www/index.html' has been downloaded"],
  ])('%s', async (_, rule, output) => {
    await cluster.stopKubelet();
    const result = talon.result(podAlert(rule, pods.namespace.name, 'web'), { timeout: 60_000 });
    await talon.line({ message: 'action', action: rule, status: 'retrying' });
    cluster.startKubelet();
    const { status, output: said, error } = await result;
    expect({ status, output: said, error }).toEqual({ status: 'success', output, error: undefined });
  });

  it('stores the whole file where the node was lost in the middle of it', async () => {
    const size = 400_000_000;
    await waitUntil('the node', () => pods.exec('web', ['true']).catch(() => undefined), { timeout: 30_000 });
    await pods.exec('web', ['sh', '-c', `head -c ${size} /dev/zero > /tmp/big`]);
    const result = talon.result(podAlert('big download', pods.namespace.name, 'web'), { timeout: 60_000 });
    await waitUntil('the download to run', async () => {
      const { stdout } = await pods.exec('web', ['ps', '-o', 'args']);
      return stdout.includes('cat -- /tmp/big');
    });
    await cluster.stopKubelet();
    await talon.line({ message: 'action', action: 'big download', status: 'retrying' });
    cluster.startKubelet();
    const { status, error } = await result;
    expect({ status, error }).toEqual({ status: 'success', error: undefined });
    const [name = ''] = await waitUntil('the file', () => {
      const files = readdirSync(join(folder, 'files')).filter((each) => each.endsWith('_tmp_big'));
      return files.length > 0 && files;
    });
    await waitUntil('all of it', () => statSync(join(folder, 'files', name)).size === size);
  }, 90_000);

  it('does not take what came of a log for all of it', async () => {
    await waitUntil('the node', () => pods.exec('web', ['true']).catch(() => undefined), { timeout: 30_000 });
    await pods.start('chatty', ['sh', '-c', `yes ${'x'.repeat(200)} | head -n 20000; ${WAITING[2]}`]);
    writeFileSync(join(folder, 'admin'), cluster.kubeconfig(cluster.plane.address.admin));
    const spool = await Spool.open({ folder: join(folder, 'spool'), maxBytes: 2 ** 30 });
    let lost: Promise<void> | undefined;
    /** Takes nothing more until the node is lost. */
    const hesitant = {
      read: (handle: string) => spool.read(handle),
      write: (name: string, mediaType: string, source: AsyncIterable<Uint8Array>) => {
        const losing = async function* () {
          for await (const chunk of source) {
            lost ??= cluster.stopKubelet();
            await lost;
            yield chunk;
          }
        };
        return spool.write(name, mediaType, losing());
      },
    };
    const kube = createKubeAdapters({ kubeconfig: join(folder, 'admin') }, hesitant);
    await kube.init();
    const { signal } = new AbortController();
    const pod = { kind: 'pod', namespace: pods.namespace.name, name: 'chatty' } as const;
    const main = { kind: 'container', name: 'main', pod } as const;
    await expect(kube.adapters['pods.keepLogs'](main, 100_000, signal)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('nobody knows whether all of the log came'),
    });
    await kube.close();
    cluster.startKubelet();
  });

  it.each(['slow exec', 'slow script', 'slow script of another interpreter'])(
    'does not call a program successful that the node was lost under, and does not run it again: %s',
    async (rule) => {
      await waitUntil('the node', () => pods.exec('web', ['true']).catch(() => undefined), { timeout: 30_000 });
      const before = await runs();
      const result = talon.result(podAlert(rule, pods.namespace.name, 'web'), { timeout: 60_000 });
      await waitUntil('the program to run', async () => (await runs()) === before + 1);
      await cluster.stopKubelet();
      expect(await result).toMatchObject({
        status: 'failure',
        error: 'nobody knows how the program ended: the connection ended before its end was told',
      });
      cluster.startKubelet();
      // Long enough for another try.
      await sleep(5000);
      expect(await runs()).toBe(before + 1);
    },
  );

  it('captures again where the node was lost in the middle of it, and stores one whole capture', async () => {
    await waitUntil('the node', () => pods.exec('web', ['true']).catch(() => undefined), { timeout: 30_000 });
    const result = talon.result(podAlert('capture', pods.namespace.name, 'web'), { timeout: 60_000 });
    await waitUntil('the capture to run', async () => {
      return (await pods.exec('web', ['ps', '-o', 'args'])).stdout.includes('tcpdump -n');
    });
    await cluster.stopKubelet();
    const { error } = await talon.line({ message: 'action', action: 'capture', status: 'retrying' });
    expect(error).toContain('nobody knows how the program ended');
    cluster.startKubelet();
    expect(await result).toMatchObject({ status: 'success' });
    const [name = '', ...more] = await waitUntil('the file', () => {
      const files = readdirSync(join(folder, 'files')).filter((each) => each.endsWith('tcpdump.pcap'));
      return files.length > 0 && files;
    });
    expect(more).toEqual([]);
    expect(
      readFileSync(join(folder, 'files', name))
        .readUInt32LE(0)
        .toString(16),
    ).toBe('a1b2c3d4');
  }, 90_000);

  /** How often one of the commands has run. */
  async function runs(): Promise<number> {
    const count = () => pods.exec('web', ['sh', '-c', 'wc -l < /tmp/runs']);
    return Number((await waitUntil('the node', () => count().catch(() => undefined), { timeout: 30_000 })).stdout);
  }
});

/** No shell that is known by its name. */
const OTHER = '/tmp/interpreter';
const SLOW = 'echo run >> /tmp/runs; sleep 20';

function rulesFor(folder: string): string {
  const output = { target: 'local:file', parameters: { destination: join(folder, 'files') } };
  const acting = (name: string, action: Readonly<Record<string, unknown>>) => ({
    rule: name,
    match: { rules: [name] },
    actions: [{ action: name, retry: { attempts: 30, backoff: '1s' }, ...action }],
  });
  const exec = (command: string) => ({ actionner: 'kubernetes:exec', parameters: { command } });
  return JSON.stringify([
    acting('exec', exec('echo run >> /tmp/runs; cat /tmp/runs')),
    acting('slow exec', exec(SLOW)),
    acting('slow script', { actionner: 'kubernetes:script', parameters: { script: `# ${'x'.repeat(5000)}\n${SLOW}` } }),
    acting('slow script of another interpreter', {
      actionner: 'kubernetes:script',
      parameters: { script: SLOW, shell: OTHER },
    }),
    acting('capture', {
      actionner: 'kubernetes:tcpdump',
      parameters: { duration: 6, image: image('tcpdump') },
      output,
    }),
    acting('log', { actionner: 'kubernetes:log' }),
    acting('big download', { actionner: 'kubernetes:download', parameters: { file: '/tmp/big' }, output }),
    acting('download', { actionner: 'kubernetes:download', parameters: { file: '/www/index.html' }, output }),
  ]);
}

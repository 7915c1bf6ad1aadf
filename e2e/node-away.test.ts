import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
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

  it('does not run a command again that the node was lost under', async () => {
    const before = await runs();
    const result = talon.result(podAlert('slow exec', pods.namespace.name, 'web'), { timeout: 60_000 });
    await waitUntil('the command to run', async () => (await runs()) === before + 1);
    await cluster.stopKubelet();
    // Kubernetes calls it a success where the connection to the node breaks off, so the status says nothing.
    await result;
    cluster.startKubelet();
    // Long enough for another try.
    await sleep(5000);
    expect(await runs()).toBe(before + 1);
  });

  /** How often one of the commands has run. */
  async function runs(): Promise<number> {
    const count = () => pods.exec('web', ['sh', '-c', 'wc -l < /tmp/runs']);
    return Number((await waitUntil('the node', () => count().catch(() => undefined), { timeout: 30_000 })).stdout);
  }
});

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
    acting('slow exec', exec('echo run >> /tmp/runs; sleep 20')),
    acting('log', { actionner: 'kubernetes:log' }),
    acting('big download', { actionner: 'kubernetes:download', parameters: { file: '/tmp/big' }, output }),
    acting('download', { actionner: 'kubernetes:download', parameters: { file: '/www/index.html' }, output }),
  ]);
}

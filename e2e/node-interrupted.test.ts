import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { image } from './cluster/real-node.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { isResult, type LogLine } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** A line in a file of the pod for each time that it runs. */
const COMMAND = 'echo run >> /tmp/runs; sleep 4; echo done';
const BIG = 300_000_000;

/** One server with four plans, killed while what they do is under way in pods, and the server after it. */
describe('a kill while a program runs in a pod', () => {
  const cluster = useRealCluster();
  const traces = new Map<string, string>();
  let folder: string;
  let pods: RealPods;
  let home: TalonHome;
  let lines: readonly LogLine[];

  beforeAll(async () => {
    folder = makeScratch();
    mkdirSync(join(folder, 'files'));
    pods = new RealPods(cluster, await cluster.namespace('interrupted'));
    await Promise.all(['once', 'again', 'capture', 'download'].map((pod) => pods.start(pod)));
    await pods.exec('download', ['sh', '-c', `head -c ${BIG} /dev/zero > /tmp/big`]);
    const rules = rulesFor(folder);
    const { kubeconfig } = await grantedTo(cluster, 'interrupted', rules);
    home = await TalonHome.make({ rules, kubeconfig });
    const talon = await home.start();
    for (const pod of ['once', 'again', 'capture']) traces.set(pod, await talon.post(alertAbout(pod)));
    await waitUntil('the commands to run', async () => (await runs('once')) + (await runs('again')) === 2);
    await waitUntil('the capture to run', async () => (await processes('capture')).includes('tcpdump -n'));
    traces.set('download', await talon.post(alertAbout('download')));
    await waitUntil('the download to run', async () => (await processes('download')).includes('cat -- /tmp/big'));
    await talon.stop('KILL');
    expect(talon.lines.filter(isResult)).toEqual([]);

    const again = await home.start();
    await home.untilDone();
    expect(await again.stop()).toBe(0);
    lines = again.lines;
  }, 120_000);
  afterAll(() => {
    home?.remove();
    removeScratch(folder);
  });

  it('does not run a command a second time, and says that nobody knows how it ended', async () => {
    // The program in the pod does not end with the server.
    await sleep(4000);
    expect(await runs('once')).toBe(1);
    expect(resultOf('once')).toMatchObject({
      status: 'failure',
      error: expect.stringContaining('nobody knows whether it happened'),
    });
  });

  it('runs it again where the rule says so', async () => {
    expect(await runs('again')).toBe(2);
    expect(resultOf('again')).toMatchObject({ status: 'success', output: 'done\n' });
  });

  it('captures again, and stores one capture', () => {
    expect(resultOf('capture')).toMatchObject({ status: 'success' });
    const magic = readFileSync(storedBy('capture')).readUInt32LE(0);
    expect(magic.toString(16)).toBe('a1b2c3d4');
  });

  it('downloads again, and stores the whole file once and no part of it', () => {
    expect(resultOf('download')).toMatchObject({ status: 'success' });
    const content = readFileSync(storedBy('download'));
    expect(content.length).toBe(BIG);
    expect(content.every((byte) => byte === 0)).toBe(true);
    expect(readdirSync(join(folder, 'files'))).toHaveLength(2);
  });

  it('keeps nothing of it beside the journal', () => {
    expect(readdirSync(join(home.folder, 'state', 'spool'))).toEqual([]);
  });

  function alertAbout(pod: string): string {
    return alertBody({ rule: pod, fields: { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': pod } });
  }

  async function runs(pod: string): Promise<number> {
    return Number((await pods.exec(pod, ['sh', '-c', 'cat /tmp/runs 2>/dev/null | wc -l'])).stdout);
  }

  async function processes(pod: string): Promise<string> {
    return (await pods.exec(pod, ['ps', '-o', 'args'])).stdout;
  }

  function resultOf(pod: string): LogLine | undefined {
    return lines.find((line) => line.trace_id === traces.get(pod) && isResult(line));
  }

  function storedBy(pod: string): string {
    const [name = '', ...more] = readdirSync(join(folder, 'files')).filter((each) => each.includes(`_${pod}_`));
    expect(more).toEqual([]);
    return join(folder, 'files', name);
  }
});

/** One rule for each pod, of its name. */
function rulesFor(folder: string): string {
  const output = { target: 'local:file', parameters: { destination: join(folder, 'files') } };
  const exec = { actionner: 'kubernetes:exec', parameters: { command: COMMAND } };
  const acting = (name: string, action: Readonly<Record<string, unknown>>) => ({
    rule: name,
    match: { rules: [name] },
    actions: [{ action: name, ...action }],
  });
  return JSON.stringify([
    acting('once', exec),
    acting('again', { ...exec, on_interrupt: 'retry' }),
    acting('capture', {
      actionner: 'kubernetes:tcpdump',
      parameters: { duration: 6, image: image('tcpdump') },
      output,
    }),
    acting('download', { actionner: 'kubernetes:download', parameters: { file: '/tmp/big' }, output }),
  ]);
}

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { image } from './cluster/real-node.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { isResult, type LogLine, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

/** Seconds: what runs is given up after these, and nothing of ours would end before. */
const GRACE = 1;
const DURATION = 6;
const BIG = 400_000_000;
/** A line in a file of the pod for each time that it runs. */
const COMMAND = 'echo run >> /tmp/runs; sleep 4; echo done';
const CASES = ['capture', 'trace', 'download', 'once', 'call'] as const;
type Case = (typeof CASES)[number];

describe.each([
  ['is told to end', 1],
  ['is told to end twice', 2],
])('a server that %s amid captures', (_, signals) => {
  const cluster = useRealCluster();
  const source = usePeer(startRecorder);
  const traces = new Map<Case, string>();
  let folder: string;
  let pods: RealPods;
  let home: TalonHome;
  let first: { readonly lines: readonly LogLine[]; readonly code: number; readonly milliseconds: number };
  let second: readonly LogLine[];

  beforeAll(async () => {
    folder = makeScratch();
    mkdirSync(join(folder, 'files'));
    source().reply(() => sleep(60_000, { status: 200 }, { ref: false }));
    pods = new RealPods(cluster, await cluster.namespace('shutdown'));
    await Promise.all(CASES.map((pod) => pods.start(pod)));
    await pods.exec('download', ['sh', '-c', `head -c ${BIG} /dev/zero > /tmp/big`]);
    const rules = rulesFor(folder, source().url);
    const { kubeconfig } = await grantedTo(cluster, 'shutdown', rules);
    const env = { POD_NAMESPACE: pods.namespace.name };
    home = await TalonHome.make({ rules, kubeconfig, env, settings: { shutdown_grace_seconds: GRACE } });
    const talon = await home.start();
    for (const pod of ['capture', 'trace'] as const) traces.set(pod, await talon.post(alertAbout(pod)));
    await waitUntil('the capture to run', async () => (await processes('capture')).includes('tcpdump -n'));
    await waitUntil('the job to run', async () => (await jobPods()).includes('Running'));
    for (const pod of ['once', 'call'] as const) traces.set(pod, await talon.post(alertAbout(pod)));
    await waitUntil('the others to run', async () => (await runs()) === 1 && source().requests.length === 1);
    traces.set('download', await talon.post(alertAbout('download')));
    await waitUntil('the download to run', async () => (await processes('download')).includes('cat -- /tmp/big'), {
      interval: 5,
    });
    first = await ended(talon, signals);
    source().reply(() => ({ status: 200, body: 'ok' }));

    const again = await home.start();
    await home.untilDone();
    expect(await again.stop()).toBe(0);
    second = again.lines;
  }, 120_000);
  afterAll(() => {
    home?.remove();
    removeScratch(folder);
  });

  it('ends in time, and calls nothing failed that it gave up', () => {
    const ends = first.lines.filter(isResult).map(({ event, status }) => `${event} ${status}`);
    console.log(
      `e2e: ${signals} SIGTERM amid captures (grace ${GRACE} s): code ${first.code} after ${first.milliseconds.toFixed(0)} ms; ` +
        `before that ended: ${ends.join(', ') || 'none'}; afterwards: ` +
        CASES.map((name) => `${name} ${resultOf(name)?.status}`).join(', '),
    );
    expect(ends.filter((end) => end.endsWith('failure'))).toEqual([]);
    if (signals === 1) expect(first.code).toBe(0);
    expect(first.milliseconds).toBeLessThan(signals === 1 ? 5_000 : 1_500);
  });

  it('leaves captures and downloads to the next one, which stores each once', () => {
    const files = readdirSync(join(folder, 'files'));
    const of = (pod: Case) =>
      files.filter((name) => name.includes(`_${pod}_`)).map((name) => join(folder, 'files', name));
    for (const pod of ['capture', 'trace', 'download'] as const) expect(of(pod), pod).toHaveLength(1);
    expect(readFileSync(of('capture')[0]!).readUInt32LE(0).toString(16)).toBe('a1b2c3d4');
    expect(gunzipSync(readFileSync(of('trace')[0]!)).toString()).toContain('argument:');
    expect(readFileSync(of('download')[0]!).length).toBe(BIG);
    expect(readdirSync(join(home.folder, 'state', 'spool'))).toEqual([]);
  });

  it('does nothing twice that must not be, and says that nobody knows', async () => {
    await sleep(4_000);
    expect(await runs()).toBe(1);
    for (const name of ['once', 'call'] as const) {
      expect(resultOf(name), name).toMatchObject({
        status: 'failure',
        error: expect.stringContaining('nobody knows whether it happened'),
      });
    }
    expect(source().requests).toHaveLength(1);
  });

  it('leaves nothing that listens, and nothing that does not end by itself', async () => {
    await waitUntil('the captures to end', async () => !(await processes('capture')).includes('tcpdump -n'));
    const { spec } = (await pods.namespace.find('capture')) ?? {};
    const commands = ((spec?.ephemeralContainers ?? []) as readonly Ephemeral[]).map(({ command }) => command);
    expect(commands).toEqual(Array(2).fill(['sleep', String(DURATION + 60)]));
    const jobs = await cluster.api.list('/apis/batch/v1/jobs');
    const longest = jobs.map((job) => Number(job.spec?.activeDeadlineSeconds));
    // Whoever is told to end at once has no time to remove what it made.
    expect(longest).toHaveLength(signals - 1);
    for (const seconds of longest) expect(seconds).toBeLessThanOrEqual(DURATION + 60 + 80);
    if (signals === 1) expect(await jobPods()).toBe('');
  });

  function alertAbout(pod: string): string {
    return alertBody({ rule: pod, output: pod, fields: { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': pod } });
  }

  async function runs(): Promise<number> {
    return Number((await pods.exec('once', ['sh', '-c', 'cat /tmp/runs 2>/dev/null | wc -l'])).stdout);
  }

  async function processes(pod: string): Promise<string> {
    return (await pods.exec(pod, ['ps', '-o', 'args'])).stdout;
  }

  /** The phases of the pods of all jobs. */
  async function jobPods(): Promise<string> {
    const found = await cluster.api.list('/api/v1/pods?labelSelector=batch.kubernetes.io/job-name');
    return found.map(({ status }) => String(status?.phase)).join(' ');
  }

  function resultOf(pod: Case): LogLine | undefined {
    const mine = (line: LogLine) => line.trace_id === traces.get(pod) && isResult(line);
    return [...first.lines, ...second].find(mine);
  }
});

/** Ends it by so many signals. */
async function ended(talon: Talon, signals: number) {
  const begin = performance.now();
  for (let count = 1; count < signals; count += 1) {
    talon.signal('TERM');
    await sleep(300);
  }
  const code = await talon.stop('TERM');
  return { code, milliseconds: performance.now() - begin, lines: talon.lines };
}

interface Ephemeral {
  readonly command: readonly string[];
}

/** One rule for each pod, of its name. */
function rulesFor(folder: string, url: string): string {
  const output = { target: 'local:file', parameters: { destination: join(folder, 'files') } };
  const acting = (name: Case, action: Readonly<Record<string, unknown>>) => ({
    rule: name,
    match: { rules: [name] },
    actions: [{ action: name, ...action }],
  });
  const listening = (name: string, imageName: string) => ({
    actionner: `kubernetes:${name}`,
    parameters: { duration: DURATION, image: imageName },
    output,
  });
  return JSON.stringify([
    acting('capture', listening('tcpdump', image('tcpdump'))),
    acting('trace', listening('sysdig', image('sysdig-stand-in'))),
    acting('download', { actionner: 'kubernetes:download', parameters: { file: '/tmp/big' }, output }),
    acting('once', { actionner: 'kubernetes:exec', parameters: { command: COMMAND } }),
    acting('call', { actionner: 'webhook:call', parameters: { url, timeout: 60 } }),
  ]);
}

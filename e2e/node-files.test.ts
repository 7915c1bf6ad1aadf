import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { image } from './cluster/real-node.ts';
import { RealPods, WAITING } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { type Granted, grantedTo, misfits } from './granted-rights.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

describe('files and logs of pods that really run', () => {
  const cluster = useRealCluster();
  let folder: string;
  let talon: Talon;
  let pods: RealPods;
  let granted: Granted;

  beforeAll(async () => {
    folder = makeScratch();
    const text = rules(folder);
    granted = await grantedTo(cluster, 'reader', text);
    talon = await startTalon({ rules: text, kubeconfig: granted.kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('files'));
    await pods.start('web', ['sh', '-c', 'seq 1 100; sleep infinity']);
    await waitUntil('the log', async () => (await pods.log('web')).endsWith('100\n'));
  });
  afterAll(async () => {
    await talon?.stop();
    removeScratch(folder);
  });

  describe('kubernetes:download', () => {
    it('has the text of the file, and says so', async () => {
      const { action, output, content } = await download('/www/index.html');
      expect(action).toMatchObject({
        status: 'success',
        output: "the file '/www/index.html' has been downloaded",
        file: '/www/index.html',
        pod: 'web',
      });
      expect(output).toMatchObject({ status: 'success', output_target: 'local:file' });
      expect(content.toString()).toBe('a page of the app\n');
    });

    it('has every byte of a binary file', async () => {
      await pods.exec('web', ['sh', '-c', 'head -c 20000000 /dev/urandom > /tmp/binary']);
      const { stdout } = await pods.exec('web', ['sha256sum', '/tmp/binary']);
      const { content } = await download('/tmp/binary');
      expect(content.length).toBe(20_000_000);
      expect(createHash('sha256').update(content).digest('hex')).toBe(stdout.slice(0, 64));
      expect((await download('/bin/busybox')).content.length).toBeGreaterThan(1_000_000);
    });

    it.each([
      ['with quotes', `/tmp/it's a "file"`],
      ['of a command', '/tmp/$(touch owned); touch owned'],
      ['of another script', '/tmp/ünïcödé 🦅'],
      ['with a line break', '/tmp/two\nlines'],
    ])('has a file of a name %s', async (_, file) => {
      expect((await pods.exec('web', ['tee', file], 'inside\n')).code).toBe(0);
      expect((await download(file)).content.toString()).toBe('inside\n');
      expect(readdirSync(join(folder, 'files')).every((name) => /^[A-Za-z0-9._-]+$/.test(name))).toBe(true);
      expect(await pods.exec('web', ['find', '/', '-xdev', '-name', 'owned'])).toMatchObject({ stdout: '' });
    });

    it.each([
      ['is not there', '/tmp/absent', 'No such file or directory'],
      ['never ends', '/dev/zero', 'not a regular file'],
      ['is a folder', '/www', 'not a regular file'],
      ['has a relative name', 'www/index.html', 'absolute'],
      ['has no name', '', 'is not absolute'],
      ['leaves its folder', '/www/../etc/passwd', "holds '..'"],
    ])('fails where the file %s, and keeps nothing', async (_, file, reason) => {
      const before = kept();
      const action = await failed(file);
      expect(action.status).toBe('failure');
      expect(action.error).toContain(reason);
      expect(kept()).toEqual(before);
    });

    it('finds the file in the second container', async () => {
      const container = (name: string) => ({
        name,
        image: image('app'),
        command: ['sh', '-c', `echo ${name} > /tmp/only-${name}; ${WAITING[2]}`],
      });
      await pods.start('two', WAITING, { containers: [container('first'), container('second')] });
      await waitUntil('the file', async () => {
        const { code } = await pods.exec('two', ['test', '-s', '/tmp/only-second'], undefined, 'second');
        return code === 0;
      });
      expect((await download('/tmp/only-second', 'two')).content.toString()).toBe('second\n');
    });
  });

  describe('kubernetes:log', () => {
    it('gives the last lines', async () => {
      const log = await talon.result(podAlert('log', pods.namespace.name, 'web'));
      expect(log).toMatchObject({ status: 'success', output: '98\n99\n100\n', pod: 'web' });
      const usual = await talon.result(podAlert('log of the usual length', pods.namespace.name, 'web'));
      expect(usual.output).toMatch(/^81\n(.*\n)*100\n$/);
    });

    it('stores them', async () => {
      const before = kept();
      const lines = await handle(podAlert('stored log', pods.namespace.name, 'web'));
      const text = `the logs for the pod 'web' in the namespace '${pods.namespace.name}' has been downloaded`;
      expect(lines.action).toMatchObject({ status: 'success', output: text });
      const [name = ''] = kept().filter((each) => !before.includes(each));
      expect(name).toMatch(new RegExp(`Z_${pods.namespace.name}_web_log$`));
      expect(readFileSync(join(folder, 'files', name), 'utf8')).toBe('98\n99\n100\n');
    });

    it('goes on to the next container where one has written nothing', async () => {
      const container = (name: string, command: readonly string[]) => ({ name, image: image('app'), command });
      const containers = [
        container('silent', WAITING),
        container('speaks', ['sh', '-c', 'echo spoken; sleep infinity']),
      ];
      await pods.start('two-logs', WAITING, { containers });
      await waitUntil('the log', async () => (await pods.log('two-logs', 'speaks')) === 'spoken\n');
      const log = await talon.result(podAlert('log', pods.namespace.name, 'two-logs'));
      expect(log).toMatchObject({ status: 'success', output: 'spoken\n' });
    });
  });

  it('takes no more rights than it names, and names no more than it takes', () => {
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  function kept(): readonly string[] {
    return readdirSync(join(folder, 'files')).sort();
  }

  function downloadAlert(file: string, pod: string): string {
    const target = { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': pod };
    return alertBody({ rule: 'download', fields: { ...target, 'fd.name': file } });
  }

  function failed(file: string): Promise<LogLine> {
    return talon.result(downloadAlert(file, 'web'));
  }

  /** Lets the server download a file, and returns what it stored and what it said of it. */
  async function download(file: string, pod = 'web'): Promise<Stored> {
    const before = kept();
    const lines = await handle(downloadAlert(file, pod));
    const [name, ...more] = kept().filter((each) => !before.includes(each));
    if (name === undefined || more.length > 0) throw new Error(`not one file more:\n${JSON.stringify(lines)}`);
    return { ...lines, content: readFileSync(join(folder, 'files', name)) };
  }

  /** The lines about an action, and about what became of its artifact. */
  async function handle(alert: string): Promise<Omit<Stored, 'content'>> {
    const lines = await talon.handle(alert, { timeout: 30_000 });
    const action = lines.find(({ message, status }) => message === 'action' && status !== 'in_progress');
    const output = await talon.line({ message: 'output', trace_id: action!.trace_id!, status: /success|failure/ });
    return { action: action!, output };
  }
});

interface Stored {
  readonly action: LogLine;
  readonly output: LogLine;
  readonly content: Buffer;
}

function rules(folder: string): string {
  const destination = join(folder, 'files');
  mkdirSync(destination);
  const output = { target: 'local:file', parameters: { destination } };
  const acting = (name: string, action: Readonly<Record<string, unknown>>) => ({
    rule: name,
    match: { rules: [name] },
    actions: [{ action: name, ...action }],
  });
  return JSON.stringify([
    acting('download', { actionner: 'kubernetes:download', parameters: { file: `\${FD_NAME}` }, output }),
    acting('log', { actionner: 'kubernetes:log', parameters: { tail_lines: 3 } }),
    acting('log of the usual length', { actionner: 'kubernetes:log' }),
    acting('stored log', { actionner: 'kubernetes:log', parameters: { tail_lines: 3 }, output }),
  ]);
}

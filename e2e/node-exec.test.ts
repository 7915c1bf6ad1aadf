import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { image } from './cluster/real-node.ts';
import { RealPods, WAITING } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo, misfits } from './granted-rights.ts';
import { HOSTILE_VALUES } from './hostile-values.ts';
import type { LogLine, Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** One rule for each, chosen by the Falco rule of its name. */
const COMMANDS = {
  'says something': 'echo out; echo err >&2',
  fails: 'echo out; echo not today >&2; exit 7',
  'fails in silence': 'exit 3',
  'reads its input': 'cat; echo has ended',
  'shows a value': `printf '<%s>' "$FD_NAME" | base64 -w 0`,
  'shows a missing value': `echo "<\${PROC_ABSENT}>"`,
  "keeps what is the shell's": `set -- one two; false; echo "$1 $? $# $(echo sub) \${2}" | awk '{print $3, $1}'`,
  'knows the alert': `echo "\${FALCO-TALON_RULE} in \${K8S_POD_NAME}"`,
  'is in the second container': 'test "$which" = second && echo found in $which',
  'prints colours': `printf '\\033[31mred\\033[0m\\n'`,
  'prints bytes': `printf 'a\\377b\\000c\\n'`,
  'prints a lot': 'yes 0123456789 | head -c 5000000',
  'needs a shell that is not there': { shell: '/bin/zsh', command: 'echo out' },
} as const satisfies Record<string, string | { readonly shell: string; readonly command: string }>;

const SCRIPTS = {
  'script of many lines': [
    "# a comment with an odd quote: '",
    'count=0',
    'for each in a b c; do',
    '  count=$((count + 1))',
    'done',
    'cat <<END',
    '$count of "$FD_NAME"',
    'END',
    'exit $((count - 3))',
  ].join('\n'),
  'script that fails': 'echo before\nno-such-program\n',
  'script that shows a value': `printf '<%s>' "$FD_NAME" | base64 -w 0\n`,
  'script that sums a value': `printf '%s' "$FD_NAME" | sha256sum\n`,
  'script that reads its input': 'cat\necho has ended\n',
} as const;

function actingRule(name: string, actionner: string, parameters: unknown): string {
  const actions = [{ action: name, actionner: `kubernetes:${actionner}`, parameters }];
  return JSON.stringify({ rule: name, match: { rules: [name] }, actions });
}

const RULES = `[${[
  ...Object.entries(COMMANDS).map(([name, given]) =>
    actingRule(name, 'exec', typeof given === 'string' ? { command: given } : given),
  ),
  ...Object.entries(SCRIPTS).map(([name, script]) => actingRule(name, 'script', { script })),
].join(',\n')}]`;

describe('commands and scripts in pods that really run', () => {
  const cluster = useRealCluster();
  let talon: Talon;
  let pods: RealPods;
  let granted: Awaited<ReturnType<typeof grantedTo>>;

  beforeAll(async () => {
    granted = await grantedTo(cluster, 'executor', RULES);
    talon = await startTalon({ rules: RULES, kubeconfig: granted.kubeconfig });
    pods = new RealPods(cluster, await cluster.namespace('exec'));
    await pods.start('web');
  });
  afterAll(() => talon?.stop());

  describe('kubernetes:exec', () => {
    it('gives the output of the command', async () => {
      expect(await result('says something')).toMatchObject({
        status: 'success',
        output: 'out\n',
        pod: 'web',
        namespace: pods.namespace.name,
      });
    });

    it('fails with the exit code and what the command said', async () => {
      const { status, error } = await result('fails');
      expect(status).toBe('failure');
      expect(error).toContain('not today');
      expect(error).toContain('7');
      expect((await result('fails in silence')).error).toContain('3');
    });

    it('gives the command an input that has ended', async () => {
      expect(await result('reads its input')).toMatchObject({ status: 'success', output: 'has ended\n' });
    });

    it("leaves to the shell what is the shell's", async () => {
      expect(await result("keeps what is the shell's")).toMatchObject({ status: 'success', output: '2 one\n' });
      expect(await result('shows a missing value')).toMatchObject({ status: 'success', output: '<>\n' });
    });

    it('puts in what the alert says', async () => {
      expect(await result('knows the alert')).toMatchObject({ status: 'success', output: 'knows the alert in web\n' });
    });

    it('goes on to the next container until one can do it', async () => {
      const container = (name: string) => ({
        name,
        image: image('app'),
        command: WAITING,
        env: [{ name: 'which', value: name }],
      });
      await pods.start('two', WAITING, { containers: [container('first'), container('second'), container('third')] });
      const alert = podAlert('is in the second container', pods.namespace.name, 'two');
      expect(await talon.result(alert)).toMatchObject({ status: 'success', output: 'found in second\n' });
    });

    it('gives the output as text that does no harm where it is read', async () => {
      expect(await result('prints colours')).toMatchObject({ status: 'success', output: 'red\n' });
      expect(await result('prints bytes')).toMatchObject({ status: 'success', output: expect.stringContaining('a') });
    });

    it('keeps no more of the output than it may', async () => {
      const { status, output } = await result('prints a lot');
      expect(status).toBe('success');
      expect(output!.length).toBeLessThanOrEqual(64_000);
      expect(output).toMatch(/^0123456789\n/);
    });

    it('fails where the shell is not there', async () => {
      const { status, error } = await result('needs a shell that is not there');
      expect(status).toBe('failure');
      expect(error).toContain('/bin/zsh');
    });

    it('fails where the pod does not exist', async () => {
      const { status, error } = await talon.result(podAlert('says something', pods.namespace.name, 'absent'));
      expect(status).toBe('failure');
      expect(error).toContain(`the pod 'absent' in the namespace '${pods.namespace.name}' doesn't exist`);
    });
  });

  describe('kubernetes:script', () => {
    it('runs all of it', async () => {
      expect(await result('script of many lines', { 'fd.name': '/a b' })).toMatchObject({
        status: 'success',
        output: '3 of "/a b"\n',
      });
      const { status, error } = await result('script that fails');
      expect(status).toBe('failure');
      expect(error).toContain('no-such-program');
      expect(error).toContain('127');
    });

    it('leaves nothing behind, and needs nothing that can be written to', async () => {
      expect(await pods.exec('web', ['find', '/', '-xdev', '-name', '*talon*'])).toMatchObject({ stdout: '' });
      const securityContext = { readOnlyRootFilesystem: true, runAsUser: 1000 };
      const containers = [{ name: 'main', image: image('app'), command: WAITING, securityContext }];
      await pods.start('read-only', WAITING, { containers });
      const body = alertBody({
        rule: 'script of many lines',
        fields: { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': 'read-only', 'fd.name': 'x' },
      });
      // A here-document may need a temporary file, which is the script's own affair.
      const { status } = await talon.result(body);
      expect(['success', 'failure']).toContain(status);
      const reads = podAlert('script that reads its input', pods.namespace.name, 'read-only');
      expect(await talon.result(reads)).toMatchObject({ status: 'success', output: 'has ended\n' });
    });
  });

  it.each(['shows a value', 'script that shows a value'])('%s, whatever an attacker made of it', async (rule) => {
    const shown: string[] = [];
    for (const value of HOSTILE_VALUES) {
      const { status, output = '', error } = await result(rule, { 'fd.name': value });
      shown.push(status === 'success' ? Buffer.from(output, 'base64').toString() : `${status}: ${error}`);
    }
    expect(shown).toEqual(HOSTILE_VALUES.map((value) => `<${value}>`));
    expect(await pods.exec('web', ['test', '-e', '/tmp/owned'])).toMatchObject({ code: 1 });
  });

  it.each([2_000, 100_000])('takes in a value of %i characters', async (length) => {
    const value = `'; touch /tmp/owned; '$(touch /tmp/owned)\n`.repeat(length / 40);
    const sum = createHash('sha256').update(value).digest('hex');
    expect(await result('script that sums a value', { 'fd.name': value })).toMatchObject({
      status: 'success',
      output: `${sum}  -\n`,
    });
    expect(await pods.exec('web', ['test', '-e', '/tmp/owned'])).toMatchObject({ code: 1 });
  });

  it('ends a command whose time is over, in the container too', async () => {
    const own = await startTalon({
      rules: `[${actingRule('never ends', 'exec', { command: 'exec sleep 98765' })}]`,
      kubeconfig: granted.kubeconfig,
      settings: { action_timeout_seconds: 3 },
    });
    const started = performance.now();
    const { status, error } = await own.result(podAlert('never ends', pods.namespace.name, 'web'), { timeout: 30_000 });
    expect(status).toBe('failure');
    expect(error).not.toBe('');
    expect(performance.now() - started).toBeLessThan(15_000);
    await waitUntil('the process to be gone', async () => {
      const { stdout } = await pods.exec('web', ['ps', '-o', 'args']);
      return !stdout.includes('98765');
    });
    await own.stop();
  });

  it('fails where the pod goes away under the command', async () => {
    await pods.start('leaving', WAITING);
    const own = await startTalon({
      rules: `[${actingRule('goes on', 'exec', { command: 'exec sleep 60' })}]`,
      kubeconfig: granted.kubeconfig,
    });
    const result = own.result(podAlert('goes on', pods.namespace.name, 'leaving'), { timeout: 45_000 });
    await waitUntil('the command to run', async () => {
      const { stdout } = await pods.exec('leaving', ['ps', '-o', 'args']);
      return stdout.includes('sleep 60');
    });
    await cluster.api.must('DELETE', pods.namespace.pods('leaving'), { gracePeriodSeconds: 0 });
    const { status, error } = await result;
    expect(status).toBe('failure');
    expect(error).not.toBe('');
    await own.stop();
  });

  it('takes no more rights than it names, and names no more than it takes', () => {
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  function result(rule: string, fields: Readonly<Record<string, unknown>> = {}): Promise<LogLine> {
    const target = { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': 'web' };
    return talon.result(alertBody({ rule, fields: { ...target, ...fields } }), { timeout: 30_000 });
  }
});

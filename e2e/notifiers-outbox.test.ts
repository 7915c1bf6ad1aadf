import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { freePort } from './cluster/free-port.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { MARK_RULES } from './mark-rules.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { type Smtp, startSmtp } from './peers/smtp.ts';
import { runTalon } from './run-program.ts';
import { secretsWritten } from './secrets-written.ts';
import type { Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const cluster = useCluster();
let namespace: TestNamespace;
let home: TalonHome | undefined;
let talon: Talon | undefined;

beforeAll(async () => {
  namespace = await cluster.namespace('outbox');
  await namespace.pod('web');
});
afterEach(async () => {
  await talon?.stop();
  home?.remove();
  talon = undefined;
});

describe('a mail server that is down for a while', () => {
  let smtp: Smtp | undefined;
  afterAll(() => smtp?.stop());

  it('gets the mails once it is up again, each once, though the server was killed in between', async () => {
    const port = await freePort();
    const mailbox = {
      host_port: `127.0.0.1:${port}`,
      from: 'talon@example.org',
      to: 'soc@example.org',
      format: 'text',
    };
    await start({ smtp: mailbox });
    const first = await mark('first');
    await talon!.line({ message: 'notification', trace_id: first, notifier: 'smtp' });
    const second = await mark('second');
    await talon!.stop('KILL');
    talon = await home!.start();
    smtp = await startSmtp({ port });
    await waitUntil('both mails', () => smtp!.mails().length >= 2, { timeout: 90_000, describe: tail });
    const told = smtp.mails().map(({ raw }) => /^Trace ID: (\w+)/m.exec(raw)?.[1]);
    expect([...told].sort()).toEqual([first, second].sort());
  }, 150_000);
});

describe('a receiver that refuses', () => {
  const endpoint = usePeer(startRecorder);

  it('is left alone at last; an operator sees the dead letter and has it sent again', async () => {
    endpoint().reply(() => ({ status: 403, body: 'token hook-secret-8c1d is not known here' }));
    await start({ webhook: { url: `${endpoint().url}/hook-secret-8c1d` } }, { attempts: 2 });
    const traceId = await mark('refused');
    const line = await talon!.line({ message: 'notification', trace_id: traceId, status: 'failure' });
    expect(line).toMatchObject({ notifier: 'webhook', error: expect.stringContaining('access denied') });
    expect(endpoint().requests).toHaveLength(2);
    const { stdout } = await home!.journal('notices', '--dead', '--format', 'json');
    expect(stdout).toContain(traceId);
    expect(stdout).toContain('access denied');
    expect(stdout).not.toContain('hook-secret-8c1d');
    const failed = { notifier: 'webhook', status: 'failure' };
    expect(await talon!.metric('falcosecurity_falco_talon_notifications_total', failed)).toMatchObject([{ value: 1 }]);
    expect(await secretsWritten(talon!, home!, ['hook-secret-8c1d'])).toEqual([]);

    endpoint().reply(() => ({ status: 204 }));
    expect(await home!.journal('resend', '--all')).toMatchObject({ code: 0 });
    await talon!.line({ message: 'notification', trace_id: traceId, status: 'success' });
    expect(JSON.parse(endpoint().requests[2]!.body)).toMatchObject({ trace_id: traceId, event: 'refused' });
    expect((await home!.journal('notices', '--format', 'json')).stdout).not.toContain(traceId);
  });

  it('is not asked before the time that it says', async () => {
    const times: number[] = [];
    endpoint().reply(() => {
      times.push(performance.now());
      return times.length === 1 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 200 };
    });
    await start({ webhook: { url: endpoint().url } });
    const traceId = await mark('too many');
    await talon!.line({ message: 'notification', trace_id: traceId, status: 'success' });
    expect(times).toHaveLength(2);
    expect(times[1]! - times[0]!).toBeGreaterThan(2900);
  });

  it('can be tried from the command line', async () => {
    endpoint().reply(() => ({ status: 401 }));
    await start({ webhook: { url: `${endpoint().url}/hook-secret-8c1d` } });
    const before = endpoint().requests.length;
    const test = () => runTalon(home!.folder, ['notifiers', 'test', 'webhook', '-c', home!.files.config]);
    const refused = await test();
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('authentication error');
    expect(refused.stdout + refused.stderr).not.toContain('hook-secret-8c1d');
    endpoint().reply(() => ({ status: 200 }));
    expect(await test()).toMatchObject({ code: 0 });
    expect(endpoint().requests).toHaveLength(before + 2);
  });
});

describe('a receiver that is never there', () => {
  it('does not hold up actions, and its address is not told', async () => {
    const port = await freePort();
    await start({ slack: { webhook_url: `http://127.0.0.1:${port}/services/hook-secret-2f9a` } });
    const started = performance.now();
    for (let count = 0; count < 20; count += 1) await mark(`alert ${count}`);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(await secretsWritten(talon!, home!, ['hook-secret-2f9a'])).toEqual([]);
  });
});

async function start(notifiers: Readonly<Record<string, unknown>>, notifications: object = {}): Promise<void> {
  const settings = { notifiers, default_notifiers: Object.keys(notifiers), notifications };
  home = await TalonHome.make({ rules: MARK_RULES, kubeconfig: cluster.kubeconfig(), settings });
  talon = await home.start();
}

/** Has the server act on an alert; returns the trace id. */
async function mark(output: string): Promise<string> {
  const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': 'web' };
  const [first] = await talon!.handle(alertBody({ rule: 'mark', output, fields }));
  return first!.trace_id!;
}

function tail(): string {
  return JSON.stringify(talon?.lines.slice(-6), null, 1);
}

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../compiler/compile.ts';
import { catalog } from './catalog.ts';
import { runServer } from './server.ts';
import type { Environment } from './settings.ts';

const LABEL = `
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {suspicious: "true"}}
- rule: Shell
  match: {rules: [Terminal shell]}
  actions: [{action: Mark}]
`;
const SHELL = {
  rule: 'Terminal shell',
  priority: 'Notice',
  output: '10:00:00.000000001: Notice A shell in web (user=root)',
  output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': 'web' },
};

interface Running {
  readonly url: string;
  lines(): Record<string, string>[];
  stop(): Promise<number>;
}

interface Given {
  readonly rules?: string;
  readonly settings?: Record<string, unknown>;
  readonly env?: Environment;
  readonly bundleFile?: string;
  readonly policiesFlags?: readonly string[];
  readonly onHangup?: (reload: () => void) => void;
}

describe('runServer', () => {
  let folder: string;
  let api: HttpServer;
  let calls: string[];
  let delay: number;
  const ends: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-server-'));
    calls = [];
    delay = 0;
    api = createServer((request, response) => {
      calls.push(`${request.method} ${request.url}`);
      response.setHeader('Content-Type', 'application/json');
      setTimeout(
        () => answerApi(request, (status, body) => response.writeHead(status).end(JSON.stringify(body))),
        delay,
      );
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    api.closeAllConnections();
    api.close();
    rmSync(folder, { recursive: true });
  });

  function begin({ rules = LABEL, settings = {}, env = {}, ...given }: Given = {}) {
    const log = path.join(folder, `${Math.random()}.log`);
    const descriptor = openSync(log, 'a');
    const configFile = path.join(folder, 'config.json');
    const kubeconfig = path.join(folder, 'kubeconfig');
    writeFileSync(path.join(folder, 'rules.yaml'), rules);
    writeFileSync(kubeconfig, kubeconfigFor(`http://127.0.0.1:${(api.address() as AddressInfo).port}`));
    const base = {
      listen_address: '127.0.0.1',
      listen_port: 0,
      log_format: 'json',
      rules_files: [path.join(folder, 'rules.yaml')],
      kubeconfig,
      watch_rules: false,
      deduplication: { leader_election: false },
      journal: { path: path.join(folder, 'journal.db') },
    };
    writeFileSync(configFile, JSON.stringify({ ...base, ...settings }));
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const drawn: string[] = [];
    const ended = runServer({
      configFile,
      rulesFlags: [],
      env,
      onHangup: () => undefined,
      ...given,
      err: (text) => drawn.push(text),
      color: false,
      untilStopped: () => stopped,
      logDescriptor: descriptor,
    }).finally(() => closeSync(descriptor));
    const text = () => readFileSync(log, 'utf8');
    const lines = () =>
      text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, string>);
    return { ended, stop, text, lines, drawn };
  }

  async function start(given: Given = {}): Promise<Running> {
    const { ended, stop, lines, text } = begin(given);
    const address = () => /listening on (127\.0\.0\.1:\d+)/.exec(text())?.[1];
    await expect.poll(address).toBeDefined();
    const url = `http://${address()}`;
    const finish = () => {
      stop();
      return ended;
    };
    ends.push(finish);
    return { url, lines, stop: finish };
  }

  async function refused(
    given: Given,
  ): Promise<{ code: number; lines: Record<string, string>[]; text: string; drawn: string }> {
    const { ended, text, drawn } = begin(given);
    const code = await ended;
    const lines = text().startsWith('{')
      ? text()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
    return { code, lines, text: text(), drawn: drawn.join('') };
  }

  it('acts on an alert and tells every step', async () => {
    const server = await start();
    const traceId = 'a'.repeat(32);
    const response = await fetch(server.url, {
      method: 'POST',
      body: JSON.stringify(SHELL),
      headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
    });
    expect(response.status).toBe(200);
    await expect.poll(() => server.lines().at(-1)).toMatchObject({ message: 'action', status: 'success' });
    const told = server.lines().map(({ time: _, ...line }) => line);
    const action = {
      rule: 'Shell',
      event: 'A shell in web (user=root)',
      actionner: 'kubernetes:label',
      action: 'Mark',
      trace_id: traceId,
    };
    const alert = {
      event: 'Terminal shell',
      priority: 'Notice',
      source: 'syscall',
      output: action.event,
      trace_id: traceId,
    };
    expect(told).toEqual([
      { level: 'info', category: 'kubernetes', status: 'success', message: 'init' },
      { level: 'info', result: '1 rule(s) has/have been successfully loaded', message: 'init' },
      {
        level: 'info',
        result: `Falco Talon is up and listening on ${server.url.slice('http://'.length)}`,
        message: 'http',
      },
      { level: 'info', ...alert, message: 'event' },
      { level: 'info', rule: 'Shell', ...alert, message: 'match' },
      { level: 'info', ...action, status: 'in_progress', message: 'action' },
      {
        level: 'info',
        ...action,
        output: "the pod 'web' in the namespace 'shop' has been labeled",
        status: 'success',
        pod: 'web',
        namespace: 'shop',
        message: 'action',
      },
    ]);
    expect(calls).toEqual(['PATCH /api/v1/namespaces/shop/pods/web']);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/events_total\{event="Terminal shell",priority="Notice",source="syscall",.*\} 1\n/);
    expect(metrics).toMatch(/matches_total\{rule="Shell",event="Terminal shell",.*\} 1\n/);
    expect(metrics).toMatch(
      /actions_total\{rule="Shell",event="Terminal shell",action="Mark",actionner="kubernetes:label",status="success",pod="web",namespace="shop",.*\} 1\n/,
    );
  });

  it('logs every alert if it is to, each once', async () => {
    const server = await start({ settings: { print_all_events: true } });
    for (const body of [SHELL, SHELL, { rule: 'Other' }]) {
      await fetch(server.url, { method: 'POST', body: JSON.stringify(body) });
    }
    await expect.poll(() => server.lines().some(({ status, pod }) => status === 'success' && pod)).toBe(true);
    const events = server.lines().filter(({ message }) => message === 'event');
    expect(events.map(({ event }) => event)).toEqual(['Terminal shell', 'Terminal shell', 'Other']);
    expect(server.lines().filter(({ message }) => message === 'match')).toHaveLength(1);
  });

  it('does nothing but say so in a dry run, without a cluster', async () => {
    const server = await start({ settings: { kubeconfig: '/nowhere' }, env: { TALON_DRY_RUN: 'true' } });
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect
      .poll(() => server.lines().at(-1))
      .toMatchObject({ message: 'action', output: 'no action, dry-run is enabled' });
    expect(server.lines().at(-1)).not.toHaveProperty('status');
    expect(calls).toEqual([]);
  });

  it('lets running actions end when it is stopped, and takes no more alerts', async () => {
    delay = 300;
    const server = await start();
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => calls).toHaveLength(1);
    expect(await server.stop()).toBe(0);
    expect(server.lines().at(-1)).toMatchObject({ message: 'action', status: 'success' });
    await expect(fetch(server.url, { method: 'POST', body: '{}' })).rejects.toThrow();
  });

  it('leaves to the next start what has not ended in time', async () => {
    delay = 60_000;
    const settings = { shutdown_grace_seconds: 0 };
    const first = await start({ settings });
    expect((await fetch(first.url, { method: 'POST', body: JSON.stringify(SHELL) })).status).toBe(200);
    await expect.poll(() => calls).toHaveLength(1);
    expect(await first.stop()).toBe(0);
    expect(first.lines().at(-1)).toMatchObject({ message: 'http', result: 'shutting down' });
    delay = 0;
    const second = await start({ settings });
    await expect.poll(() => second.lines().at(-1)).toMatchObject({ message: 'action', status: 'success' });
    expect(calls).toHaveLength(2);
    const repeated = await fetch(second.url, { method: 'POST', body: JSON.stringify(SHELL) });
    expect(repeated.status).toBe(200);
    await expect.poll(async () => (await fetch(`${second.url}/metrics`)).text()).toContain('duplicate_events_total{');
    expect(calls).toHaveLength(2);
  });

  describe('takes up changed rules', () => {
    const rulesFile = () => path.join(folder, 'rules.yaml');
    const body = (output: string) => JSON.stringify({ ...SHELL, output });
    const renamed = LABEL.replace('rule: Shell', 'rule: Renamed');

    it('when they change, and says in the body of /readyz when it could not', async () => {
      const server = await start({ settings: { watch_rules: true } });
      expect(server.lines().some(({ result }) => result === 'watch of rules enabled')).toBe(true);
      const readyz = async () => {
        const response = await fetch(`${server.url}/readyz`);
        return { status: response.status, body: await response.json() };
      };
      writeFileSync(rulesFile(), '- rule: A\n  match: {priority: nope}\n');
      const reason = 'rules: invalid rules; those loaded before stay in effect';
      await expect.poll(async () => (await readyz()).body).toEqual({ status: 'ok', degraded: [reason] });
      expect((await readyz()).status).toBe(200);
      await fetch(server.url, { method: 'POST', body: body('one') });
      await expect.poll(() => matches(server)).toEqual(['Shell']);
      writeFileSync(rulesFile(), renamed);
      await expect.poll(async () => (await readyz()).body).toEqual({ status: 'ok' });
      await fetch(server.url, { method: 'POST', body: body('two') });
      await expect.poll(() => matches(server)).toEqual(['Shell', 'Renamed']);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toMatch(/reloads_total\{status="failure",.*\} 1\n/);
      expect(metrics).toMatch(/reloads_total\{status="success",.*\} 1\n/);
    });

    it('when it is asked to, and finishes earlier alerts with the rules that matched them', async () => {
      let reload = () => {};
      delay = 300;
      const rules = LABEL.replace('[{action: Mark}]', '[{action: Mark}, {action: Mark, description: again}]');
      const server = await start({
        rules,
        onHangup: (listener) => {
          reload = listener;
        },
      });
      await fetch(server.url, { method: 'POST', body: body('one') });
      await expect.poll(() => calls).toHaveLength(1);
      writeFileSync(rulesFile(), renamed);
      reload();
      await expect
        .poll(() => server.lines().map(({ result }) => result))
        .toContain('1 rules have been successfully loaded');
      await expect.poll(() => calls).toHaveLength(2);
      await fetch(server.url, { method: 'POST', body: body('two') });
      await expect.poll(() => calls).toHaveLength(3);
      expect(matches(server)).toEqual(['Shell', 'Renamed']);
    });

    it('and reads the credentials that only the new ones need, or keeps the old ones', async () => {
      let reload = () => {};
      const kubeconfig = path.join(folder, 'later');
      const server = await start({
        rules: '',
        settings: { kubeconfig },
        onHangup: (listener) => {
          reload = listener;
        },
      });
      const told = () => server.lines().filter(({ message }) => message === 'init' || message === 'rules');
      writeFileSync(rulesFile(), LABEL);
      reload();
      await expect.poll(() => told().at(-1)).toMatchObject({ message: 'rules', status: 'degraded' });
      expect(told()).toContainEqual(
        expect.objectContaining({ level: 'error', message: 'init', category: 'kubernetes', status: 'failure' }),
      );
      writeFileSync(kubeconfig, readFileSync(path.join(folder, 'kubeconfig')));
      reload();
      await expect.poll(() => told().at(-1)).toMatchObject({ result: 'works again' });
      await fetch(server.url, { method: 'POST', body: body('one') });
      await expect.poll(() => calls).toHaveLength(1);
    });
  });

  it('keeps secrets out of its log', async () => {
    const token = 'hush-hush-hush-hush';
    const server = await start({ settings: { default_notifiers: [token], auth: { bearer_tokens: [token] } } });
    const response = await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    expect(response.status).toBe(401);
    // An alert that somebody reports it in, too.
    const body = JSON.stringify({ ...SHELL, output: `curl -H ${token}` });
    await fetch(server.url, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body });
    await expect.poll(() => server.lines().at(-1)).toMatchObject({ status: 'success' });
    expect(JSON.stringify(server.lines())).not.toContain('hush');
    expect(server.lines().some(({ category }) => category === '***')).toBe(true);
  });

  it('serves a packed bundle', async () => {
    const { bundle } = compile([{ path: 'rules.yaml', text: LABEL }], { catalog });
    const bundleFile = path.join(folder, 'bundle.tar.gz');
    writeFileSync(bundleFile, await (bundle as NonNullable<typeof bundle>).pack());
    const server = await start({ rules: '[', bundleFile });
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => server.lines().at(-1)).toMatchObject({ status: 'success' });
  });

  it('warns of what it cannot do and somebody wants', async () => {
    const rules = LABEL.replace('match:', 'notifiers: [Loki, webhook]\n  match:');
    const server = await start({
      rules,
      settings: {
        default_notifiers: ['slck'],
        notifiers: { webhook: { url: 'http://127.0.0.1:9' } },
        deduplication: { leader_election: true },
        console: {},
      },
    });
    const warnings = server.lines().filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message, category, result }) => [message, category ?? result])).toEqual([
      ['config', "the setting 'console' is not supported by this version and has no effect"],
      ['init', 'slck'],
      ['lease', 'no leader is elected outside of Kubernetes: this server acts alone'],
    ]);
    const ofNotifiers = server.lines().filter(({ status }) => status === 'failure');
    expect(ofNotifiers.map(({ level, error }) => [level, error])).toEqual([
      ['warn', "unknown notifier 'slck' in default_notifiers, ignored: did you mean `slack`?"],
      ['error', 'wrong `url` setting (notifiers.loki.url): the notifier is told nothing'],
    ]);
  });

  it('tells notifiers of what was done, after a restart too if they were away', async () => {
    const received: Record<string, unknown>[] = [];
    const receiver = createServer(async (request, response) => {
      received.push(JSON.parse((await request.toArray()).join('')));
      response.end();
    });
    const listen = (port: number) => new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
    const close = () => new Promise((resolve) => receiver.close(resolve));
    await listen(0);
    const { port } = receiver.address() as AddressInfo;
    await close();
    const secret = 'a-secret-part-of-the-path';
    const settings = {
      default_notifiers: ['Webhook'],
      notifiers: { webhook: { url: `http://127.0.0.1:${port}/${secret}` } },
    };
    const first = await start({ settings });
    await fetch(first.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => first.lines().at(-1)).toMatchObject({ message: 'notification', status: 'retrying' });
    const metrics = await (await fetch(`${first.url}/metrics`)).text();
    expect(metrics).toMatch(/_pending_notifications\{[^}]*notifier="webhook"[^}]*\} 1\n/);
    await first.stop();
    expect(JSON.stringify(first.lines())).not.toContain(secret);

    await listen(port);
    ends.push(close);
    const second = await start({ settings });
    await expect.poll(() => second.lines().at(-1)?.message, { timeout: 10_000 }).toBe('notification');
    const { trace_id } = received[0] ?? {};
    const told = { rule: 'Shell', action: 'Mark', actionner: 'kubernetes:label', status: 'success', trace_id };
    expect(second.lines().at(-1)).toMatchObject({ ...told, level: 'info', notifier: 'webhook', stage: 'action' });
    expect(received).toEqual([
      {
        ...told,
        objects: expect.objectContaining({ Pod: 'web', Namespace: 'shop' }),
        event: 'A shell in web (user=root)',
        message: 'action',
        output: expect.any(String),
      },
    ]);
  });

  it('makes ready what notifiers need, and does without it where that is not to be had', async () => {
    const settings = { default_notifiers: ['k8sevents'] };
    const ofCluster = ({ lines }: Running) => lines().find(({ category }) => category === 'kubernetes');
    expect(ofCluster(await start({ rules: '', settings }))).toMatchObject({ level: 'info', status: 'success' });
    await Promise.all(ends.splice(0).map((end) => end()));
    const without = await start({ rules: '', settings: { ...settings, kubeconfig: '/nowhere' } });
    expect(ofCluster(without)).toMatchObject({ level: 'error', status: 'failure' });
    expect((await fetch(`${without.url}/readyz`)).status).toBe(200);
  });

  it('runs without rules and without a cluster', async () => {
    const server = await start({ rules: '', settings: { kubeconfig: '/nowhere' } });
    expect(server.lines()[0]).toMatchObject({ result: '0 rule(s) has/have been successfully loaded' });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  describe('does not start', () => {
    it('with a configuration that it cannot read', async () => {
      const { code, text } = await refused({ settings: { listen_port: 'many' }, env: { NO_COLOR: '1' } });
      expect(code).toBe(1);
      expect(text).toMatch(/^\S+ FTL config error="error unmarshalling config file: 'decoding failed/);
    });

    it('with invalid rules, which it draws', async () => {
      const { code, lines, drawn } = await refused({ rules: '- rule: A\n  match: {priority: nope}\n' });
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'rules', error: 'invalid rules' });
      expect(lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
      expect(drawn).toMatch(/rules\.yaml:\d+:\d+/);
    });

    it('without credentials for the cluster', async () => {
      const { code, lines } = await refused({ settings: { kubeconfig: '' } });
      const error =
        'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined';
      expect(code).toBe(1);
      expect(lines).toMatchObject([
        { level: 'error', message: 'init', category: 'kubernetes', status: 'failure', error },
        { level: 'fatal', message: 'actionners', error },
      ]);
    });

    it('in Kubernetes while a leader is to be elected', async () => {
      const { code, lines } = await refused({
        settings: { deduplication: {} },
        env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      });
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({
        level: 'fatal',
        message: 'lease',
        error: expect.stringContaining('deduplication.leader_election'),
      });
    });

    it('with settings of the entrance that do not do, and shows no secret', async () => {
      const { code, text } = await refused({ settings: { auth: { secret_paths: ['/hush'] } }, env: { NO_COLOR: '1' } });
      expect(code).toBe(1);
      expect(text).toMatch(/FTL config error="'auth\.secret_paths\[0\]' is not usable/);
      expect(text).not.toContain('hush');
    });

    it('without a journal', async () => {
      const file = path.join(folder, 'kubeconfig', 'journal.db');
      const { code, lines } = await refused({
        settings: { journal: { path: file }, spool: { path: path.join(folder, 'spool') } },
      });
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'journal', error: expect.stringContaining(file) });
    });

    it('while another server has the journal', async () => {
      await start();
      const { code, lines } = await refused({});
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'journal' });
    });

    it('with wrong policies, which it names, nor with policies beside a bundle', async () => {
      const policies = path.join(folder, 'policies.yaml');
      writeFileSync(policies, '- policy: A\n');
      const first = await refused({ policiesFlags: [policies] });
      expect(first.code).toBe(1);
      expect(first.lines).toMatchObject([
        { level: 'error', message: 'policies', error: expect.stringContaining(`${policies}:1:`) },
        { level: 'fatal', message: 'policies', error: 'invalid policies' },
      ]);
      const second = await refused({ policiesFlags: [policies], bundleFile: policies });
      expect(second.lines).toMatchObject([{ level: 'fatal', message: 'policies' }]);
    });

    it('when the address is taken', async () => {
      const { port } = api.address() as AddressInfo;
      const { code, lines } = await refused({ settings: { listen_port: port } });
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({
        level: 'fatal',
        message: 'http',
        error: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
      });
    });

    it.each([
      ['missing.tar.gz', undefined, /no such file or directory/],
      ['broken.tar.gz', 'nonsense', /the bundle is refused/],
    ])('with the bundle %s', async (name, content, error) => {
      const bundleFile = path.join(folder, name);
      if (content !== undefined) writeFileSync(bundleFile, content);
      const { code, lines } = await refused({ bundleFile });
      expect(code).toBe(1);
      expect(lines.at(-1)?.error).toMatch(error);
    });
  });
});

function matches(server: Running): (string | undefined)[] {
  return server.lines().flatMap(({ message, rule }) => (message === 'match' ? [rule] : []));
}

function answerApi({ method, url }: IncomingMessage, answer: (status: number, body: object) => void): void {
  if (method === 'PATCH' && url?.startsWith('/api/v1/namespaces/shop/pods/')) {
    answer(200, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', namespace: 'shop' } });
  } else {
    answer(404, { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 });
  }
}

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });
}

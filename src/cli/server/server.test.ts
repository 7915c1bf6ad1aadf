import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { catalog } from '../plugins/catalog.ts';
import { LABEL, type Running, ServerWorld, SHELL } from './server-world.ts';

describe('runServer', () => {
  const world = new ServerWorld();

  it('acts on an alert and tells every step', async () => {
    const server = await world.start();
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
    expect(world.calls).toEqual(['PATCH /api/v1/namespaces/shop/pods/web']);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/events_total\{event="Terminal shell",priority="Notice",source="syscall",.*\} 1\n/);
    expect(metrics).toMatch(/matches_total\{rule="Shell",event="Terminal shell",.*\} 1\n/);
    expect(metrics).toMatch(
      /actions_total\{rule="Shell",event="Terminal shell",action="Mark",actionner="kubernetes:label",status="success",pod="web",namespace="shop",.*\} 1\n/,
    );
  });

  it('logs every alert if it is to, each once', async () => {
    const server = await world.start({ settings: { print_all_events: true } });
    for (const body of [SHELL, SHELL, { rule: 'Other' }]) {
      await fetch(server.url, { method: 'POST', body: JSON.stringify(body) });
    }
    await expect.poll(() => server.lines().some(({ status, pod }) => status === 'success' && pod)).toBe(true);
    const events = server.lines().filter(({ message }) => message === 'event');
    expect(events.map(({ event }) => event)).toEqual(['Terminal shell', 'Terminal shell', 'Other']);
    expect(server.lines().filter(({ message }) => message === 'match')).toHaveLength(1);
  });

  it('does nothing but say so in a dry run, without a cluster', async () => {
    const server = await world.start({ settings: { kubeconfig: '/nowhere' }, env: { TALON_DRY_RUN: 'true' } });
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect
      .poll(() => server.lines().at(-1))
      .toMatchObject({ message: 'action', output: 'no action, dry-run is enabled' });
    expect(server.lines().at(-1)).not.toHaveProperty('status');
    expect(world.calls).toEqual([]);
  });

  it('lets running actions end when it is stopped, and takes no more alerts', async () => {
    world.delay = 300;
    const server = await world.start();
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => world.calls).toHaveLength(1);
    expect(await server.stop()).toBe(0);
    expect(server.lines().at(-1)).toMatchObject({ message: 'action', status: 'success' });
    await expect(fetch(server.url, { method: 'POST', body: '{}' })).rejects.toThrow();
  });

  it('leaves to the next start what has not ended in time', async () => {
    world.delay = 60_000;
    const settings = { shutdown_grace_seconds: 0 };
    const first = await world.start({ settings });
    expect((await fetch(first.url, { method: 'POST', body: JSON.stringify(SHELL) })).status).toBe(200);
    await expect.poll(() => world.calls).toHaveLength(1);
    expect(await first.stop()).toBe(0);
    expect(first.lines().at(-1)).toMatchObject({ message: 'http', result: 'shutting down' });
    world.delay = 0;
    const second = await world.start({ settings });
    await expect.poll(() => second.lines().at(-1)).toMatchObject({ message: 'action', status: 'success' });
    expect(world.calls).toHaveLength(2);
    const repeated = await fetch(second.url, { method: 'POST', body: JSON.stringify(SHELL) });
    expect(repeated.status).toBe(200);
    await expect.poll(async () => (await fetch(`${second.url}/metrics`)).text()).toContain('duplicate_events_total{');
    expect(world.calls).toHaveLength(2);
  });

  describe('takes up changed rules', () => {
    const rulesFile = () => path.join(world.folder, 'rules.yaml');
    const body = (output: string) => JSON.stringify({ ...SHELL, output });
    const renamed = LABEL.replace('rule: Shell', 'rule: Renamed');

    it('when they change, and says in the body of /readyz when it could not', async () => {
      const server = await world.start({ settings: { watch_rules: true } });
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
      world.delay = 300;
      const rules = LABEL.replace('[{action: Mark}]', '[{action: Mark}, {action: Mark, description: again}]');
      const server = await world.start({
        rules,
        onHangup: (listener) => {
          reload = listener;
        },
      });
      await fetch(server.url, { method: 'POST', body: body('one') });
      await expect.poll(() => world.calls).toHaveLength(1);
      writeFileSync(rulesFile(), renamed);
      reload();
      await expect
        .poll(() => server.lines().map(({ result }) => result))
        .toContain('1 rules have been successfully loaded');
      await expect.poll(() => world.calls).toHaveLength(2);
      await fetch(server.url, { method: 'POST', body: body('two') });
      await expect.poll(() => world.calls).toHaveLength(3);
      expect(matches(server)).toEqual(['Shell', 'Renamed']);
    });

    it('and reads the credentials that only the new ones need, or keeps the old ones', async () => {
      let reload = () => {};
      const kubeconfig = path.join(world.folder, 'later');
      const server = await world.start({
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
      writeFileSync(kubeconfig, readFileSync(path.join(world.folder, 'kubeconfig')));
      reload();
      await expect.poll(() => told().at(-1)).toMatchObject({ result: 'works again' });
      await fetch(server.url, { method: 'POST', body: body('one') });
      await expect.poll(() => world.calls).toHaveLength(1);
    });
  });

  it('keeps secrets out of its log', async () => {
    const token = 'hush-hush-hush-hush';
    const server = await world.start({ settings: { default_notifiers: [token], auth: { bearer_tokens: [token] } } });
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
    const bundleFile = path.join(world.folder, 'bundle.tar.gz');
    writeFileSync(bundleFile, await (bundle as NonNullable<typeof bundle>).pack());
    const server = await world.start({ rules: '[', bundleFile });
    await fetch(server.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => server.lines().at(-1)).toMatchObject({ status: 'success' });
  });

  it('warns of what it cannot do and somebody wants', async () => {
    const rules = LABEL.replace('match:', 'notifiers: [Loki, webhook]\n  match:');
    const server = await world.start({
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
    const first = await world.start({ settings });
    await fetch(first.url, { method: 'POST', body: JSON.stringify(SHELL) });
    await expect.poll(() => first.lines().at(-1)).toMatchObject({ message: 'notification', status: 'retrying' });
    const metrics = await (await fetch(`${first.url}/metrics`)).text();
    expect(metrics).toMatch(/_pending_notifications\{[^}]*notifier="webhook"[^}]*\} 1\n/);
    await first.stop();
    expect(JSON.stringify(first.lines())).not.toContain(secret);

    await listen(port);
    world.ends.push(close);
    const second = await world.start({ settings });
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
    expect(ofCluster(await world.start({ rules: '', settings }))).toMatchObject({ level: 'info', status: 'success' });
    await Promise.all(world.ends.splice(0).map((end) => end()));
    const without = await world.start({ rules: '', settings: { ...settings, kubeconfig: '/nowhere' } });
    expect(ofCluster(without)).toMatchObject({ level: 'error', status: 'failure' });
    expect((await fetch(`${without.url}/readyz`)).status).toBe(200);
  });

  it('runs without rules and without a cluster', async () => {
    const server = await world.start({ rules: '', settings: { kubeconfig: '/nowhere' } });
    expect(server.lines()[0]).toMatchObject({ result: '0 rule(s) has/have been successfully loaded' });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

function matches(server: Running): (string | undefined)[] {
  return server.lines().flatMap(({ message, rule }) => (message === 'match' ? [rule] : []));
}

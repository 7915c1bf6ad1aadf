import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { childProgram } from '../../../tools/child-program.ts';

const LABEL =
  '- rule: R\n  match: {}\n  actions: [{action: A, actionner: kubernetes:label, parameters: {labels: {a: b}}}]\n';
const SERVER = childProgram(
  `import { runServer } from './server.ts';
  process.exitCode = await runServer({
    configFile: undefined, rulesFlags: [process.env.RULES], env: process.env, err: () => {}, color: false,
  });`,
  import.meta.dirname,
);

describe('the server process', () => {
  const children: ChildProcess[] = [];
  let api: Server | undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-signal-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    api?.closeAllConnections();
    api?.close();
  });

  async function start(
    rules: string,
    kubeconfig = '',
  ): Promise<{ child: ChildProcess; url: string; log: () => string }> {
    const rulesFile = path.join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rules);
    const env = {
      ...process.env,
      RULES: rulesFile,
      LISTEN_ADDRESS: '127.0.0.1',
      LISTEN_PORT: '0',
      LOG_FORMAT: 'text',
      DEDUPLICATION_LEADER_ELECTION: 'false',
      KUBECONFIG: kubeconfig,
      WATCH_RULES: 'false',
      TALON_DRY_RUN: String(kubeconfig === ''),
      JOURNAL_PATH: path.join(folder, `${Math.random()}.db`),
    };
    const child = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let text = '';
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (chunk) => {
        text += chunk;
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (port) resolve(`http://127.0.0.1:${port}`);
      });
      child.on('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
    });
    return { child, url, log: () => text };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'reloads with SIGHUP, ends in order with %s, and a debugger is never opened',
    async (signal) => {
      const { child, url, log } = await start('');
      child.kill('SIGUSR1');
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(200);
      writeFileSync(path.join(folder, 'rules.yaml'), LABEL);
      child.kill('SIGHUP');
      await expect.poll(log).toContain('INF rules result="1 rules have been successfully loaded"');
      child.kill(signal);
      expect(await exitOf(child)).toEqual([0, null]);
      expect(log()).toContain('INF http result="shutting down"');
    },
  );

  it('ends at once with a second signal', async () => {
    let calls = 0;
    api = createServer(() => calls++);
    await new Promise<void>((resolve) => api?.listen(0, '127.0.0.1', resolve));
    const { port } = api.address() as AddressInfo;
    const { child, url, log } = await start(LABEL, writeKubeconfig(folder, port));
    const body = { output: 'x', output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': 'web' } };
    expect((await fetch(url, { method: 'POST', body: JSON.stringify(body) })).status).toBe(200);
    await expect.poll(() => calls).toBe(1);
    child.kill('SIGTERM');
    await expect.poll(log).toContain('shutting down');
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await exitOf(child)).toEqual([1, null]);
  });
});

function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve([code, signal])));
}

function writeKubeconfig(folder: string, port: number): string {
  const file = path.join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

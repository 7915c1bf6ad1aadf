import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Environment } from '../settings/settings.ts';
import { runServer } from './server.ts';

// For tests: the server as its command runs it, in a folder of its own, with a small cluster beside it.

export const LABEL = `
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {suspicious: "true"}}
- rule: Shell
  match: {rules: [Terminal shell]}
  actions: [{action: Mark}]
`;
export const SHELL = {
  rule: 'Terminal shell',
  priority: 'Notice',
  output: '10:00:00.000000001: Notice A shell in web (user=root)',
  output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': 'web' },
};

export interface Running {
  readonly url: string;
  lines(): Record<string, string>[];
  stop(): Promise<number>;
}

export interface Given {
  readonly rules?: string;
  readonly settings?: Record<string, unknown>;
  readonly env?: Environment;
  readonly bundleFile?: string;
  readonly policiesFlags?: readonly string[];
  readonly onHangup?: (reload: () => void) => void;
}

/** What is there for one test: made before it, gone after it. */
export class ServerWorld {
  folder = '';
  /** Requests that the cluster got. */
  calls: string[] = [];
  /** Milliseconds until the cluster answers. */
  delay = 0;
  /** What is to be ended after the test. */
  readonly ends: (() => Promise<unknown>)[] = [];
  #api: Server = createServer();

  constructor() {
    beforeEach(() => this.#begin());
    afterEach(() => this.#end());
  }

  /** Where the cluster listens. */
  get port(): number {
    return (this.#api.address() as AddressInfo).port;
  }

  async #begin(): Promise<void> {
    this.folder = mkdtempSync(path.join(tmpdir(), 'talon-server-'));
    this.calls = [];
    this.delay = 0;
    this.#api = createServer((request, response) => {
      this.calls.push(`${request.method} ${request.url}`);
      response.setHeader('Content-Type', 'application/json');
      setTimeout(
        () => answerApi(request, (status, body) => response.writeHead(status).end(JSON.stringify(body))),
        this.delay,
      );
    });
    await new Promise<void>((resolve) => this.#api.listen(0, '127.0.0.1', resolve));
  }

  async #end(): Promise<void> {
    for (const end of this.ends.splice(0)) await end();
    this.#api.closeAllConnections();
    this.#api.close();
    rmSync(this.folder, { recursive: true });
  }

  begin({ rules = LABEL, settings = {}, env = {}, ...given }: Given = {}) {
    const log = path.join(this.folder, `${Math.random()}.log`);
    const descriptor = openSync(log, 'a');
    const configFile = path.join(this.folder, 'config.json');
    const kubeconfig = path.join(this.folder, 'kubeconfig');
    writeFileSync(path.join(this.folder, 'rules.yaml'), rules);
    writeFileSync(kubeconfig, kubeconfigFor(`http://127.0.0.1:${this.port}`));
    const base = {
      listen_address: '127.0.0.1',
      listen_port: 0,
      log_format: 'json',
      rules_files: [path.join(this.folder, 'rules.yaml')],
      kubeconfig,
      watch_rules: false,
      deduplication: { leader_election: false },
      journal: { path: path.join(this.folder, 'journal.db') },
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

  async start(given: Given = {}): Promise<Running> {
    const { ended, stop, lines, text } = this.begin(given);
    const address = () => /listening on (127\.0\.0\.1:\d+)/.exec(text())?.[1];
    await expect.poll(address).toBeDefined();
    const url = `http://${address()}`;
    const finish = () => {
      stop();
      return ended;
    };
    this.ends.push(finish);
    return { url, lines, stop: finish };
  }

  async refused(given: Given): Promise<{ code: number; lines: Record<string, string>[]; text: string; drawn: string }> {
    const { ended, text, drawn } = this.begin(given);
    const code = await ended;
    const lines = text().startsWith('{')
      ? text()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
    return { code, lines, text: text(), drawn: drawn.join('') };
  }
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

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from './main.ts';
import { recordingTerminal } from './recording-terminal.ts';

async function demo(env: Readonly<Record<string, string>>, ...flags: string[]) {
  const terminal = recordingTerminal({ env });
  const code = await runCli(['demo', ...flags], terminal);
  return { code, out: terminal.stdout(), err: terminal.stderr() };
}

test('without a cluster: every alert, its rules, its plan, and that nothing was done', async () => {
  const { code, out, err } = await demo({});
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^Talon devel listens on 127\.0\.0\.1:\d+, with 15 rules from /);
  expect(out).toContain('This is a dry run: no cluster is touched.');
  expect(out).toContain(`Critical: Detect crypto miners using the Stratum protocol
  Possible miner running (pod talon-demo/web-1)
  rule Crypto miner matches
    plan     Label as compromised  kubernetes:label  {"labels":{"compromised":"true"}}
    outcome  dry run: no action, dry-run is enabled
`);
  expect(out).toContain('(pod kube-system/kube-proxy-4k2lm)\n  no rule matches, nothing is done\n');
  expect(out).toMatch(/\n6 alerts, 5 with matching rules, 7 actions: 7 as dry run\n$/);
});

describe('with a cluster', () => {
  let folder: string;
  let api: Server;
  let requests: string[];
  let kubeconfig: string;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-demo-'));
    requests = [];
    api = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"kind":"Status","status":"Failure","reason":"NotFound","code":404}');
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    kubeconfig = path.join(folder, 'config');
    const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    writeFileSync(
      kubeconfig,
      `{ apiVersion: v1, kind: Config, current-context: try-out,
  clusters: [{ name: c, cluster: { server: "${server}" } }],
  users: [{ name: u, user: { token: t } }],
  contexts: [{ name: try-out, context: { cluster: c, user: u } }] }`,
    );
  });
  afterEach(() => {
    api.closeAllConnections();
    api.close();
    rmSync(folder, { recursive: true });
  });

  test('it names the context, acts, and shows what came of it', async () => {
    const { code, out } = await demo({ KUBECONFIG: kubeconfig });
    expect(code).toBe(0);
    expect(out).toContain('It acts on the cluster of the context `try-out`.');
    expect(requests).toContain('PATCH /api/v1/namespaces/talon-demo/pods/cart-0');
    expect(out).toContain("outcome  failure: the pod 'cart-0' in the namespace 'talon-demo' doesn't exist\n");
    expect(out).toContain('kubectl apply -f rules/demo/pods.yaml');
  });

  test('unless told not to', async () => {
    const { out } = await demo({ KUBECONFIG: kubeconfig }, '--dry-run');
    expect(out).toContain('This is a dry run');
    expect(requests).toEqual([]);
  });

  test('a kubeconfig that cannot be used is one line', async () => {
    const { code, err } = await demo({ KUBECONFIG: path.join(folder, 'nowhere') });
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: .*nowhere.*\n$/);
  });
});

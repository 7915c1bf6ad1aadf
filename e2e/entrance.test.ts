import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { senderRequests } from '../conformance-tests/senders/sender-requests.ts';
import { type Exchange, exchange, RawConnection, type Reply } from '../src/runtime/entrance/raw-client.ts';
import { alertBody, podAlert } from './alert.ts';
import { CertificateAuthority, type KeyPair } from './cluster/certificates.ts';
import { freePort } from './cluster/free-port.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { isResult, type Talon } from './talon.ts';
import { refuseTalon, TalonHome } from './talon-home.ts';

const RULES = `
- rule: Quarantine
  match: {rules: [set]}
  actions:
    - action: Label it
      actionner: kubernetes:label
      parameters: {labels: {quarantine: "true"}}
- rule: Rehearse
  match: {rules: [Terminal shell in container, Test rule]}
  dry_run: true
  actions:
    - action: Only say it
      actionner: kubernetes:label
      parameters: {labels: {quarantine: "true"}}
`;
const TOKEN = 'token-5f2b8d31c7e94a06';
const NEXT_TOKEN = 'token-0a1b2c3d4e5f6071';
const PASSWORD = 'p@ss:word-71c8e5';
const USER = `falco:${PASSWORD}`;
const PATH = '/alerts/8f14e45fceea167a';
const SECRETS = [TOKEN, NEXT_TOKEN, PASSWORD, Buffer.from(USER).toString('base64'), PATH.slice(1)];
const MIB = 1 << 20;

const bearer = { authorization: `Bearer ${TOKEN}` };

describe('the entrance', () => {
  const cluster = useCluster();
  let folder: string;
  let authority: CertificateAuthority;
  let strangers: CertificateAuthority;
  let server: KeyPair;
  let home: TalonHome | undefined;
  let talon: Talon | undefined;

  beforeAll(() => {
    folder = makeScratch();
    authority = authorityIn('own');
    strangers = authorityIn('strangers');
    server = authority.issue('server', { commonName: 'talon', altNames: ['IP:127.0.0.1'] });
  });
  afterEach(async () => {
    await talon?.stop();
    home?.remove();
    talon = undefined;
  });
  afterAll(() => removeScratch(folder));

  function authorityIn(name: string): CertificateAuthority {
    mkdirSync(join(folder, name));
    return new CertificateAuthority(join(folder, name));
  }

  const tls = () => ({ cert_file: server.certFile, key_file: server.keyFile });
  const mutual = () => ({ ...tls(), client_ca_file: authority.pair.certFile });
  const trusting = (client?: KeyPair) => ({
    ca: authority.pair.cert,
    ...(client && { cert: client.cert, key: client.key }),
  });

  /** Starts a server whose health is not asked for, because that may take a certificate. */
  async function start(settings: Readonly<Record<string, unknown>>) {
    home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), settings });
    talon = home.launch();
    await talon.line({ message: 'http', result: /is up and listening/ });
    const port = Number(new URL(home.url).port);
    return { talon, port, send: (request: Exchange) => exchange(port, request) };
  }

  /** All that the server has said, to whomever. */
  function expectNoSecrets(running: Talon, ...replies: readonly Reply[]): void {
    const said = JSON.stringify([running.lines, running.stray, replies]);
    for (const secret of SECRETS) expect(said).not.toContain(secret);
  }

  it('acts on alerts of those who show a certificate, and on no others', async () => {
    const namespace = await cluster.namespace('entrance-mtls');
    await namespace.pod('web', { run: false });
    const running = await start({ tls: mutual() });
    const body = podAlert('set', namespace.name, 'web');
    const falco = authority.issue('falco', { commonName: 'falco' });
    const stranger = strangers.issue('falco', { commonName: 'falco' });
    await expect(running.send({ body, tls: trusting() })).rejects.toThrow();
    await expect(running.send({ body, tls: trusting(stranger) })).rejects.toThrow();
    await expect(running.send({ body })).rejects.toThrow();
    expect(await namespace.labels('web')).toBeUndefined();
    expect(await running.send({ body, tls: trusting(falco) })).toMatchObject({ status: 200, body: '' });
    await running.talon.line({ message: 'action', status: 'success' });
    expect(await namespace.labels('web')).toEqual({ quarantine: 'true' });
  });

  it('acts on alerts with one of the tokens, so that they can be changed without a pause', async () => {
    const running = await start({ tls: tls(), auth: { bearer_tokens: [TOKEN, NEXT_TOKEN] } });
    const attempt = (headers: Record<string, string>) =>
      running.send({ body: alertBody({ rule: 'none', fields: {} }), headers, tls: trusting() });
    expect(await attempt(bearer)).toMatchObject({ status: 200 });
    expect(await attempt({ authorization: `Bearer ${NEXT_TOKEN}` })).toMatchObject({ status: 200 });
    const refused = [
      await attempt({}),
      await attempt({ authorization: `Bearer ${TOKEN}0` }),
      await running.send({ method: 'GET', path: '/metrics', tls: trusting() }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
    const metrics = await running.send({ method: 'GET', path: '/metrics', headers: bearer, tls: trusting() });
    expect(metrics.body).toMatch(/^falcosecurity_falco_talon_refused_requests_total\{.*reason="unauthorized".*\} 3$/m);
    expect(running.talon.lines.filter(({ error = '' }) => error.includes('unauthorized'))).toHaveLength(1);
    expectNoSecrets(running.talon, metrics, ...refused);
  });

  it('acts on an alert as Falcosidekick sends it, credentials and path in its address', async () => {
    const running = await start({ auth: { basic_users: [USER], secret_paths: [PATH] } });
    // Its client makes this header of `http://user:password@host/path`.
    const authorization = `Basic ${Buffer.from(USER).toString('base64')}`;
    for (const id of ['falcosidekick', 'falcosidekick-test']) {
      const { body, headers } = senderRequests().find((request) => request.id === id)!;
      const sent = headers.filter(([name]) => !/^(host|content-length|authorization)$/i.test(name));
      const request = { body, headers: Object.fromEntries(sent), path: PATH };
      expect(await running.send(request)).toMatchObject({ status: 401 });
      expect(
        await running.send({ ...request, path: '/', headers: { ...request.headers, authorization } }),
      ).toMatchObject({
        status: 404,
      });
      expect(await running.send({ ...request, headers: { ...request.headers, authorization } })).toMatchObject({
        status: 200,
      });
    }
    await waitUntil('both to be handled', () => running.talon.lines.filter(isResult).length === 2);
    const probes = [
      await running.send({ method: 'GET', path: '/healthz' }),
      await running.send({ method: 'GET', path: '/readyz' }),
      await running.send({ path: PATH.slice(0, -1) }),
    ];
    expect(probes.map(({ status }) => status)).toEqual([200, 200, 404]);
    expectNoSecrets(running.talon, ...probes);
  });

  it('leaves metrics and health to a port of their own', async () => {
    const ownPort = await freePort();
    const running = await start({ tls: mutual(), metrics_listen_port: ownPort });
    const own = (path: string, method = 'GET') => exchange(ownPort, { method, path });
    expect(await own('/healthz')).toMatchObject({ status: 200, body: '{"status": "ok"}' });
    expect(await own('/readyz')).toMatchObject({ status: 200, body: '{"status": "ok"}' });
    expect((await own('/metrics')).body).toContain('falco_talon_build_info');
    expect(await own('/', 'POST')).toMatchObject({ status: 404 });
    const falco = authority.issue('falco-own', { commonName: 'falco' });
    expect(await running.send({ method: 'GET', path: '/metrics', tls: trusting(falco) })).toMatchObject({
      status: 400,
    });
  });

  it('slows down a sender who is too quick', async () => {
    const running = await start({ rate_limit_per_second: 20 });
    const body = alertBody({ rule: 'none', fields: {} });
    const replies = await Promise.all(Array.from({ length: 200 }, () => running.send({ body })));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(replies.filter(({ status }) => status === 429).every(({ headers }) => headers['retry-after'] === '1')).toBe(
      true,
    );
    for (let probe = 0; probe < 50; probe++) expect(await running.talon.isHealthy()).toBe(true);
  });

  it('keeps its memory and its manners under a flood of bodies without end', async () => {
    const running = await start({ max_connections: 600 });
    const before = running.talon.residentBytes();
    const heads = [`Content-Length: ${1 << 30}`, 'Transfer-Encoding: chunked', `Content-Length: ${MIB}`];
    const connections = await Promise.all(Array.from({ length: 500 }, () => RawConnection.open(running.port)));
    const part = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), Buffer.alloc(MIB, 0x20), Buffer.from('\r\n')]);
    let most = before;
    for (const [index, connection] of connections.entries()) {
      connection.write(`POST / HTTP/1.1\r\nHost: x\r\n${heads[index % 3]}\r\n\r\n`);
    }
    for (let round = 0; round < 8; round++) {
      for (const { socket } of connections)
        if (socket.writable && socket.writableLength < part.length) socket.write(part);
      expect(await exchange(running.port, { body: alertBody({ rule: 'none', fields: {} }) })).toMatchObject({
        status: 200,
      });
      most = Math.max(most, running.talon.residentBytes());
    }
    await Promise.all(connections.map(({ closed }) => closed));
    console.log(
      `entrance: ${toMib(before)} MiB before, at most ${toMib(most)} MiB while 500 senders sent endless bodies`,
    );
    expect(most - before).toBeLessThan(300 * MIB);
    expect(await running.talon.isHealthy()).toBe(true);
  });

  it.each([
    ['a certificate without its key', () => ({ tls: { cert_file: server.certFile } }), "'tls.key_file' is not set"],
    ['a key of another certificate', () => ({ tls: { ...tls(), key_file: authority.pair.keyFile } }), 'cannot be used'],
    ['a short path', () => ({ auth: { secret_paths: ['/hook'] } }), "'auth.secret_paths[0]' is not usable"],
  ])('does not start with %s', async (_, settings, reason) => {
    const { code, stdout } = await refuseTalon({
      rules: RULES,
      kubeconfig: cluster.kubeconfig(),
      settings: settings(),
      env: { NO_COLOR: '1' },
    });
    expect(code).toBe(1);
    const fatal = stdout.split('\n').filter((line) => /"level":"fatal"| FTL /.test(line));
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toContain(reason);
    expect(stdout).not.toContain('/hook');
    expect(stdout).not.toContain(readFileSync(server.keyFile, 'utf8').slice(30, 80));
  });
});

function toMib(bytes: number): number {
  return Math.round(bytes / MIB);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntranceSettings } from './entrance-settings.ts';
import type { ListenerTimes } from './http-listener.ts';
import { exchange, RawConnection, raw } from './raw-client.ts';
import { type Issued, TestAuthority } from './test-certificates.ts';
import { QUICK, TestServer } from './test-server.ts';

const ALERT = '{"output":"a","rule":"R","priority":"Notice"}';
const REQUEST = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${ALERT.length}\r\n\r\n${ALERT}`;
const TOKEN = 'token-0123456789abcdef';

describe('TLS', () => {
  let servers: TestAuthority;
  let clients: TestAuthority;
  let strangers: TestAuthority;
  let first: Issued;
  let second: Issued;
  let folder: string;
  const begun: TestServer[] = [];

  beforeAll(() => {
    servers = new TestAuthority('servers');
    clients = new TestAuthority('clients');
    strangers = new TestAuthority('strangers');
    first = servers.issue('first');
    second = servers.issue('second');
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-tls-'));
    install(first);
    writeFileSync(file('clients.crt'), clients.cert);
  });
  afterEach(async () => {
    for (const { server } of begun.splice(0)) await server.close();
    rmSync(folder, { recursive: true });
  });

  const file = (name: string) => path.join(folder, name);
  const plain = () => ({ certFile: file('tls.crt'), keyFile: file('tls.key') });
  const mutual = () => ({ ...plain(), clientCaFile: file('clients.crt') });

  function install({ cert, key }: Issued): void {
    writeFileSync(file('tls.crt'), cert);
    writeFileSync(file('tls.key'), key);
  }

  async function start(settings: Partial<EntranceSettings>, limits: { times?: ListenerTimes } = {}) {
    const tested = new TestServer(settings, { certificateInterval: 50, ...limits });
    begun.push(tested);
    const port = await tested.listen();
    const send = (tls: object = {}, headers: Record<string, string> = {}) =>
      exchange(port, { body: ALERT, headers, tls: { ca: servers.cert, ...tls } });
    return { tested, port, send };
  }

  it('takes alerts encrypted alone', async () => {
    const { tested, port, send } = await start({ tls: plain() });
    expect(await send()).toMatchObject({ status: 200, body: '' });
    expect(await exchange(port, { method: 'GET', path: '/healthz', tls: { ca: servers.cert } })).toMatchObject({
      status: 200,
    });
    await expect(exchange(port, { body: ALERT })).rejects.toThrow();
    await expect(send({ ca: strangers.cert })).rejects.toThrow();
    expect(tested.received).toHaveLength(1);
  });

  it('waits for the answer, and does not wait for who does not read it', async () => {
    const { tested, port } = await start({ tls: plain() }, { times: QUICK });
    tested.answer = (_, answer) => setTimeout(answer, 2_500, 200);
    const waiting = await handshake(port);
    waiting.write(REQUEST);
    const answered = new Promise<string>((resolve) => waiting.once('data', (data) => resolve(data.toString())));
    tested.page = async () => 'x'.repeat(64 * 2 ** 20);
    const deaf = await handshake(port);
    deaf.pause();
    deaf.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    waiting.destroy();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    let read = 0;
    deaf.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    deaf.removeAllListeners('error').on('error', () => undefined);
    await new Promise((resolve) => deaf.resume().on('close', resolve));
    expect(read).toBeLessThan(64 * 2 ** 20);
  });

  it('asks for credentials as without it', async () => {
    const { send } = await start({ tls: plain(), bearerTokens: [TOKEN] });
    expect(await send()).toMatchObject({ status: 401 });
    expect(await send({}, { authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('does not speak %s', async (version) => {
    const { send } = await start({ tls: plain() });
    await expect(send({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' })).rejects.toThrow();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { send } = await start({ tls: mutual() });
    expect(await send({ minVersion: version, maxVersion: version, ...clients.issue('falco') })).toMatchObject({
      status: 200,
    });
  });

  it('does not shake hands anew', async () => {
    const { port } = await start({ tls: plain() });
    const socket = await handshake(port, { maxVersion: 'TLSv1.2' });
    const renegotiated = new Promise<string>((resolve) => {
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve('closed'));
      socket.renegotiate({}, (error) => resolve(error ? error.message : 'renegotiated'));
    });
    expect(await renegotiated).not.toBe('renegotiated');
    socket.destroy();
  });

  describe('with client certificates', () => {
    it('lets those in who show one of the authority', async () => {
      const { tested, send } = await start({ tls: mutual() });
      expect(await send(clients.issue('falco'))).toMatchObject({ status: 200 });
      expect(tested.refused).toEqual([]);
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses all others with %s', async (version) => {
      const { tested, send } = await start({ tls: mutual() });
      const versions = { minVersion: version, maxVersion: version };
      const forged = new TestAuthority('clients').issue('falco');
      for (const tls of [{}, strangers.issue('falco'), servers.issue('falco'), forged]) {
        await expect(send({ ...versions, ...tls })).rejects.toThrow();
      }
      expect(tested.received).toEqual([]);
      await expect.poll(() => tested.refused).toEqual(Array(4).fill('unauthorized'));
      expect(tested.transitions.filter(({ kind }) => kind === 'turned_away')).toHaveLength(1);
    });

    it('wants a token too, if there are some', async () => {
      const { send } = await start({ tls: mutual(), bearerTokens: [TOKEN] });
      expect(await send(clients.issue('falco'))).toMatchObject({ status: 401 });
      expect(await send(clients.issue('falco'), { authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
    });

    it('leaves health on its own port to those who have none', async () => {
      const { tested } = await start({ tls: mutual(), ownPort: { host: '127.0.0.1', port: 0 } });
      const answer = await exchange(tested.server.ownPort ?? 0, { method: 'GET', path: '/readyz' });
      expect(answer).toMatchObject({ status: 200 });
    });
  });

  describe('files', () => {
    it('are taken up when they change, and open connections stay', async () => {
      const { tested, port } = await start({ tls: plain() });
      const old = await handshake(port);
      expect(nameOf(old)).toBe('first');
      install(second);
      await expect.poll(() => nameShown(port)).toBe('second');
      expect(tested.degraded.get('tls')).toBe('');
      old.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(await new Promise((resolve) => old.once('data', (data) => resolve(data.toString())))).toContain('200 OK');
      old.destroy();
    });

    it('that are half written leave those in use, and are told', async () => {
      const { tested, port } = await start({ tls: plain() });
      writeFileSync(file('tls.crt'), second.cert);
      await expect
        .poll(() => tested.degraded.get('tls'))
        .toMatch(/^'tls\.cert_file' \(.*tls\.crt\) and 'tls\.key_file' \(.*\) cannot be used: /);
      expect(await nameShown(port)).toBe('first');
      install(second);
      await expect.poll(() => nameShown(port)).toBe('second');
      await expect.poll(() => tested.degraded.get('tls')).toBe('');
      rmSync(file('tls.key'));
      await expect.poll(() => tested.degraded.get('tls')).toContain('cannot read');
      expect(await nameShown(port)).toBe('second');
    });

    it('of other authorities shut out the clients of those before', async () => {
      const { send } = await start({ tls: mutual() });
      const falco = clients.issue('falco');
      const sidekick = strangers.issue('sidekick');
      expect(await send(falco)).toMatchObject({ status: 200 });
      writeFileSync(file('clients.crt'), strangers.cert);
      await expect
        .poll(() =>
          send(sidekick).then(
            ({ status }) => status,
            () => 'refused',
          ),
        )
        .toBe(200);
      await expect(send(falco)).rejects.toThrow();
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'of other authorities end the sessions of those before with %s',
      async (version) => {
        const { tested, port, send } = await start({ tls: mutual() });
        const falco = { ...clients.issue('falco'), maxVersion: version };
        const again = { ...falco, session: await sessionOf(port, falco) };
        expect(await reused(port, again)).toBe(true);
        writeFileSync(file('clients.crt'), strangers.cert);
        const sidekick = strangers.issue('sidekick');
        await expect
          .poll(() =>
            send(sidekick).then(
              ({ status }) => status,
              () => 'refused',
            ),
          )
          .toBe(200);
        const before = tested.received.length;
        await expect(send(again)).rejects.toThrow();
        expect(tested.received).toHaveLength(before);
      },
    );

    it.each([
      ['tls.crt', undefined, /^'tls\.cert_file': cannot read .*tls\.crt \(ENOENT\)$/],
      ['tls.key', undefined, /^'tls\.key_file': cannot read .*tls\.key \(ENOENT\)$/],
      ['clients.crt', undefined, /^'tls\.client_ca_file': cannot read .*clients\.crt \(ENOENT\)$/],
      ['tls.crt', '', /^'tls\.cert_file' \(.*tls\.crt\) cannot be used/],
      ['tls.key', 'no key', /^'tls\.cert_file' \(.*\) and 'tls\.key_file' \(.*\) cannot be used/],
      ['clients.crt', '', /^'tls\.client_ca_file' \(.*clients\.crt\) cannot be used/],
      ['clients.crt', 'no certificate', /^'tls\.client_ca_file' \(.*clients\.crt\) cannot be used/],
    ])('that cannot be used keep the server from starting: %s', async (name, content, message) => {
      if (content === undefined) rmSync(file(name));
      else writeFileSync(file(name), content);
      const { server } = new TestServer({ tls: mutual() });
      await expect(server.listen('127.0.0.1', 0)).rejects.toMatchObject({
        code: 'config',
        message: expect.stringMatching(message),
      });
      await server.close();
    });
  });

  describe('strangers', () => {
    it.each([
      ['plain HTTP', 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['noise', '\x00\x01\x02\xff'.repeat(5_000)],
      ['a record of an unknown kind', '\x99\x03\x01\x00\x05hello'],
      ['a hello cut short', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['a hello of the largest length', `\x16\x03\x01\xff\xff${'\x01'.repeat(70_000)}`],
      ['nothing', ''],
    ])('that send %s get nothing, and others do not notice', async (_, bytes) => {
      const { port, send } = await start({ tls: plain() });
      expect(await raw(port, Buffer.from(bytes, 'latin1'))).not.toContain('HTTP/');
      expect(await send()).toMatchObject({ status: 200 });
    });

    it('that stall in the handshake are cut off', async () => {
      const { tested, port, send } = await start({ tls: mutual() }, { times: QUICK });
      const stalled = await RawConnection.open(port);
      stalled.write(Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'));
      const silent = await RawConnection.open(port);
      expect(await send(clients.issue('falco'))).toMatchObject({ status: 200 });
      await Promise.all([stalled.closed, silent.closed]);
      expect(tested.refused).toEqual(['timeout', 'timeout']);
    });

    it('that break HTTP inside of TLS are answered', async () => {
      const { tested, port } = await start({ tls: plain() });
      const socket = await handshake(port);
      socket.write('nonsense\r\n\r\n');
      const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(tested.refused).toEqual(['method']);
      socket.destroy();
    });
  });

  /** A session that the server offers to go on with. */
  function sessionOf(port: number, options: object): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', ca: servers.cert, ...options });
      socket.once('session', (session) => {
        socket.destroy();
        resolve(session);
      });
      socket.on('error', reject);
    });
  }

  async function reused(port: number, options: object): Promise<boolean> {
    const socket = await handshake(port, options);
    const known = socket.isSessionReused();
    socket.destroy();
    return known;
  }

  async function nameShown(port: number): Promise<string> {
    const socket = await handshake(port);
    const name = nameOf(socket);
    socket.destroy();
    return name;
  }

  function handshake(port: number, options: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', ca: servers.cert, ...options }, () => resolve(socket));
      socket.on('error', reject);
    });
  }
});

function nameOf(socket: TLSSocket): string {
  const { CN } = socket.getPeerCertificate().subject;
  return String(CN);
}

import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../model/capability.ts';
import type { EndpointTarget } from '../../model/targets.ts';
import { TestAuthority } from '../../runtime/entrance/test-certificates.ts';
import { Spool } from '../spool/spool.ts';
import type { HttpDoorOptions } from './http-door-options.ts';
import { createHttpDoors } from './http-doors.ts';
import { RecordingEndpoint } from './recording-endpoint.ts';

const endpoint = new RecordingEndpoint().use();
const folder = mkdtempSync(path.join(tmpdir(), 'talon-http-'));
const never = new AbortController().signal;
setMaxListeners(0, never);

const secrets: Record<string, string> = {
  TALON_SECRET_KEY: 'k-1',
  TALON_SECRET_SPLIT: 'a\r\nb',
  AWS_SECRET_ACCESS_KEY: 'aws',
};
const used = { spool: undefined as Spool | undefined, doors: createHttpDoors({ secretOf: () => undefined }) };

beforeAll(async () => {
  used.spool = await Spool.open({ folder: path.join(folder, 'spool'), maxBytes: 1 << 20 });
  used.doors = createHttpDoors({ spool: used.spool, secretOf: (name) => secrets[name] });
});
afterAll(async () => {
  await used.doors.close();
  rmSync(folder, { recursive: true });
});

type Sent = {
  readonly target?: Partial<EndpointTarget>;
  readonly keep?: boolean;
  readonly signal?: AbortSignal;
} & Partial<HttpRequest>;

function send({ target = {}, keep = false, signal = never, ...request }: Sent = {}, doors = used.doors) {
  const whole: EndpointTarget = { kind: 'endpoint', name: 'x', url: `${endpoint.url}/hook`, headers: {}, ...target };
  return doors.adapters['http.send'](whole, { method: 'POST', ...request }, keep, signal);
}

const failure = (sent: Sent, doors = used.doors) =>
  send(sent, doors).then(
    () => 'no failure',
    (error: unknown) => error,
  );

async function sendOver(options: Partial<HttpDoorOptions>, sent: Sent) {
  const doors = createHttpDoors({ secretOf: () => undefined, ...options });
  const found = await failure(sent, doors);
  await doors.close();
  return found;
}

describe('a request', () => {
  it('goes out as it is, and its answer comes back whatever the status', async () => {
    endpoint.answers.set('POST /hook', { status: 418, body: 'no coffee', headers: { 'retry-after': '3' } });
    expect(await send({ headers: { 'Content-Type': 'text/plain' }, body: 'héllo' })).toEqual({
      ...{ status: 418, statusLine: "418 I'm a Teapot", body: 'no coffee', artifact: null, retryAfterMs: 3000 },
    });
    expect(endpoint.seen).toMatchObject([
      { line: 'POST /hook', body: 'héllo', headers: { 'content-type': 'text/plain', 'content-length': '6' } },
    ]);
    expect(endpoint.seen[0]?.headers).not.toHaveProperty('user-agent');
  });

  it('has no body where none is given', async () => {
    await send({ method: 'GET' });
    expect(endpoint.seen).toMatchObject([{ line: 'GET /hook', body: '' }]);
  });

  it('takes a connection of those before', async () => {
    const ports = new Set<number | undefined>();
    endpoint.answers.set('POST /hook', (response) => {
      ports.add(response.socket?.remotePort);
      response.end();
    });
    for (let count = 0; count < 10; count += 1) await send();
    expect(ports.size).toBeLessThan(3);
  });

  it.each([
    ['/a/b', '/hook/a/b?token=1'],
    ['/a?x=%20', '/hook/a?x=%20'],
    ['//evil.example.org/', '/hook//evil.example.org/?token=1'],
    ['/é', '/hook/%C3%A9?token=1'],
  ])('with the path %s goes below the endpoint', async (below, line) => {
    await send({ target: { url: `${endpoint.url}/hook/?token=1` }, path: below });
    expect(endpoint.seen.map((seen) => seen.line)).toEqual([`POST ${line}`]);
  });

  it.each(['/..', '/../x', '/a/%2e%2E/b', '/a/./b', '/a\\..\\b', '/a\r\nHost: x', '/a b', '/#x', 'a', '/..?x', '/\0'])(
    'with the path %j is not sent',
    async (below) => {
      expect(await failure({ path: below })).toMatchObject({
        code: 'refused',
        message: 'the path of the request leads elsewhere than below the configured url',
      });
      expect(endpoint.seen).toEqual([]);
    },
  );

  it.each(['', 'nonsense', 'file:///etc/passwd', 'javascript:1', 'ftp://127.0.0.1/'])(
    'to %j is not sent',
    async (url) => {
      expect(await failure({ target: { url } })).toMatchObject({ code: 'refused', message: 'invalid url' });
    },
  );
});

describe('headers', () => {
  it('of the plug-in win over those of the endpoint, in any case of letters', async () => {
    const target = { headers: { 'user-agent': 'mine', 'X-A': '1' } };
    await send({ target, headers: { 'User-Agent': 'falco-talon', 'X-B': '\tä' } });
    expect(endpoint.seen[0]?.headers).toMatchObject({ 'user-agent': 'falco-talon', 'x-a': '1', 'x-b': 'ä' });
  });

  it('with credentials win over all', async () => {
    const login = { user: 'talon', password: 'pässword' };
    const headersFrom = { 'X-Key': 'TALON_SECRET_KEY' };
    await send({
      target: { login, headersFrom, headers: { authorization: 'x', 'x-key': 'y' } },
      headers: { Authorization: 'z' },
    });
    expect(endpoint.seen[0]?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('talon:pässword').toString('base64')}`,
      'x-key': 'k-1',
    });
  });

  it('have the login of the URL where there is no other', async () => {
    await send({ target: { url: endpoint.url.replace('//', '//me:p%40ss@') } });
    await send({ target: { url: endpoint.url.replace('//', '//me:pass@'), login: { user: '', password: 'x' } } });
    const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
    expect(endpoint.seen.map(({ headers }) => headers.authorization)).toEqual([basic('me:p@ss'), basic('me:pass')]);
  });

  it.each([
    [{ 'X-A': 'a\r\nX-B: b' }, /^the header 'X-A' has a line break/],
    [{ 'X-A': 'a\nb' }, /^the header 'X-A' has a line break/],
    [{ 'X-A': 'a\0' }, /^the header 'X-A'/],
    [{ 'X-A': 'snow ☃' }, /^the header 'X-A'/],
    [{ 'X-A\r\nX-B': 'a' }, /^a header has a name that cannot be one$/],
    [{ '': 'a' }, /^a header has a name that cannot be one$/],
    [{ Host: 'x' }, /^the header 'Host' cannot be set$/],
    [{ 'Transfer-Encoding': 'chunked' }, /^the header 'Transfer-Encoding' cannot be set$/],
    [{ 'content-length': '1' }, /^the header 'content-length' cannot be set$/],
  ])('%j are refused', async (headers, message) => {
    const expected = { code: 'refused', message: expect.stringMatching(message) };
    expect(await failure({ headers: headers as Record<string, string> })).toMatchObject(expected);
    expect(await failure({ target: { headers: headers as Record<string, string> } })).toMatchObject(expected);
    expect(endpoint.seen).toEqual([]);
  });

  it.each([
    ['AWS_SECRET_ACCESS_KEY', /^the environment variable 'AWS_SECRET_ACCESS_KEY' of the server is not set$/],
    ['TALON_SECRET_OTHER', /^the environment variable 'TALON_SECRET_OTHER' of the server is not set$/],
    ['TALON_SECRET_SPLIT', /^the header 'X-Key' has a line break/],
  ])('from %s are refused', async (name, message) => {
    expect(await failure({ target: { headersFrom: { 'X-Key': name } } })).toMatchObject({
      ...{ code: 'refused', message: expect.stringMatching(message) },
    });
    expect(endpoint.seen).toEqual([]);
  });
});

describe('an answer', () => {
  it('is read up to 256 KiB', async () => {
    endpoint.answers.set('POST /hook', { status: 200, body: 'é'.repeat(200_000) });
    const { body } = await send();
    expect(body).toBe('é'.repeat(131_072));
  });

  it.each([
    [5, 'abcde'],
    [0, ''],
  ])('is read as far as is wanted: %i bytes', async (wantedBytes, body) => {
    endpoint.answers.set('POST /hook', { status: 200, body: 'abcdefgh' });
    expect(await send({ wantedBytes })).toMatchObject({ status: 200, body });
  });

  it.each([
    [204, undefined],
    [404, 'refused'],
    [503, 'busy'],
  ])('that is not expected is a failure: %i', async (status, code) => {
    endpoint.answers.set('POST /hook', { status, headers: { 'retry-after': '4' } });
    const found = await failure({ keep: true, expected: [[200, 299]] });
    if (code === undefined) expect(found).toBe('no failure');
    else
      expect(found).toMatchObject({
        code,
        message: expect.stringMatching(`^the endpoint 'x' answered ${status} `),
        retryAfterMs: 4000,
      });
  });

  it('is kept in the spool when that is wanted', async () => {
    const body = 'x'.repeat(300_000);
    endpoint.answers.set('POST /hook', { status: 200, body, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    const { artifact, ...answer } = await send({ keep: true });
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(artifact).toMatchObject({ kind: 'artifact', name: 'response', size: 300_000, mediaType: 'text/plain' });
    expect(await text(used.spool!.read(artifact!.handle))).toBe(body);
  });

  it('has its bytes kept whatever type it claims', async () => {
    endpoint.answers.set('POST /hook', { status: 200, body: 'x', headers: { 'content-type': 'a<b>' } });
    expect((await send({ keep: true })).artifact).toMatchObject({ mediaType: 'application/octet-stream' });
  });

  it('is refused by a full spool', async () => {
    endpoint.answers.set('POST /hook', { status: 200, body: 'x'.repeat(1 << 21) });
    expect(await failure({ keep: true })).toMatchObject({ code: 'busy', message: 'the spool is full' });
  });

  it('cannot be kept without a spool', async () => {
    expect(await sendOver({}, { keep: true })).toMatchObject({ code: 'refused' });
  });
});

describe('a redirect', () => {
  it('is followed on the same host where the request stays the same', async () => {
    endpoint.answers.set('POST /hook', { status: 308, headers: { location: '/hook/' } });
    await send({ body: 'b', target: { headers: { 'x-key': 'k' } } });
    expect(endpoint.seen).toMatchObject([
      { line: 'POST /hook' },
      { line: 'POST /hook/', body: 'b', headers: { 'x-key': 'k' } },
    ]);
  });

  it.each([
    [308, 'http://example.org/'],
    [307, 'http://127.0.0.1:1/'],
    [307, 'http://[bad'],
    [302, '/hook/'],
  ])('%i to %s is an answer', async (status, location) => {
    endpoint.answers.set('POST /hook', { status, headers: { location } });
    expect(await send({ target: { login: { user: 'u', password: 'p' } } })).toMatchObject({ status });
    expect(endpoint.seen).toHaveLength(1);
  });

  it('in a circle comes to an end', async () => {
    endpoint.answers.set('POST /hook', { status: 307, headers: { location: '/hook' } });
    expect(await send()).toMatchObject({ status: 307 });
    expect(endpoint.seen).toHaveLength(4);
  });
});

it.each(['pa%20ss', 'pass'])('takes the password of the URL out of an answer that echoes it: %s', async (password) => {
  const basic = Buffer.from(`me:${decodeURIComponent(password)}`).toString('base64');
  endpoint.answers.set('POST /hook', (response) => {
    response.writeHead(401, `no ${basic}`);
    response.end(`Authorization: ${response.req.headers.authorization} is of ${decodeURIComponent(password)}`);
  });
  const url = `${endpoint.url}/hook`.replace('://', `://me:${password}@`);
  expect(await send({ target: { url } })).toMatchObject({
    ...{ statusLine: '401 no ***', body: 'Authorization: Basic *** is of ***' },
  });
  expect(endpoint.seen[0]?.headers.authorization).toBe(`Basic ${basic}`);
});

describe('nothing is sent', () => {
  it.each([
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[64:ff9b::a9fe:a9fe]',
    '[fd00:ec2::23]',
    '[fd20:ce::254]',
    '[2002:a9fe:a9fe::1]',
    '100.100.100.200',
    '169.254.170.2',
    '①⑥⑨。254.169.254.',
    'user@169.254.169.254',
  ])('to the metadata service at %s', async (host) => {
    expect(await failure({ target: { url: `http://${host}/latest/meta-data/secret` } })).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /^nothing is sent to '[^/]*': its address is that of a metadata service, or link-local$/,
      ),
    });
  });

  it.each(['127.0.0.1', 'localhost', '[::1]', '0.0.0.0'])('to this server itself at %s', async (host) => {
    const url = `http://${host}:${endpoint.port}/hook`;
    expect(await sendOver({ ownPorts: [endpoint.port] }, { target: { url } })).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/: it is this very server$/),
    });
    expect(endpoint.seen).toEqual([]);
  });

  it('to those even through a proxy', async () => {
    const proxies = { http: endpoint.url };
    const target = { url: 'http://169.254.169.254/x' };
    expect(await sendOver({ proxies }, { target })).toMatchObject({ code: 'refused' });
    expect(endpoint.seen).toEqual([]);
  });
});

describe('a failure', () => {
  const secret = { url: '' };
  it('of nobody there says the host alone', async () => {
    secret.url = 'http://127.0.0.1:1/services/T0/B0/secret?token=secret';
    expect(await failure({ target: secret })).toMatchObject({
      code: 'unreachable',
      message: 'no answer from 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
      unasked: true,
    });
  });

  it('of a name that nobody knows', async () => {
    const error = await failure({ target: { url: 'http://nobody.invalid/secret' } });
    expect(error).toMatchObject({ code: 'unreachable', unasked: true });
    expect((error as Error).message).toMatch(/^no answer from nobody\.invalid: /);
    expect((error as Error).message).not.toContain('secret');
  });

  it('of a silent endpoint', async () => {
    endpoint.answers.set('POST /hook', () => undefined);
    expect(await failure({ timeoutMs: 50 })).toMatchObject({
      code: 'unreachable',
      message: `no answer from 127.0.0.1:${endpoint.port}: it said nothing in time`,
    });
  });

  it.each([false, true])('of an answer without end (kept: %s)', async (keep) => {
    endpoint.answers.set('POST /hook', (response) => void response.writeHead(200).write('a'));
    expect(await failure({ timeoutMs: 50, keep })).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/its answer did not end in time$/),
    });
  });

  it('of a broken connection', async () => {
    endpoint.answers.set('POST /hook', (response) => void response.socket?.destroy());
    expect(await failure({})).toMatchObject({ code: 'unreachable', unasked: false });
  });

  it('of a peer that speaks no HTTP', async () => {
    const server = createServer((socket) => socket.end('220 mail.example.org ESMTP\r\n'));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await failure({ target: { url: `http://127.0.0.1:${port}/` } })).toMatchObject({ code: 'unreachable' });
    server.close();
  });

  it('of a server that nobody vouches for', async () => {
    const server = createTlsServer(new TestAuthority('nobody').issue('x'), (_, response) => void response.end());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await failure({ target: { url: `https://127.0.0.1:${port}/` } })).toMatchObject({
      ...{ code: 'unreachable', message: expect.stringMatching(/certificate/) },
    });
    server.close();
  });

  it('of the step that ends', async () => {
    const over = new AbortController();
    endpoint.answers.set('POST /hook', () => over.abort(new Error('the step is over')));
    expect(await failure({ signal: over.signal })).toMatchObject({ code: 'unreachable', message: /over/ });
  });
});

describe('a proxy', () => {
  it('gets the requests of its scheme, but for the hosts that are left out', async () => {
    const connects: string[] = [];
    const proxy = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        connects.push(String(data).split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 502 no\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
    const http = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
    await sendOver({ proxies: { http } }, { target: { url: 'http://hooks.example.org/x' } });
    expect(connects).toEqual(['CONNECT hooks.example.org:80 HTTP/1.1']);
    expect(await sendOver({ proxies: { http, none: '127.0.0.1' } }, { path: '/past-the-proxy' })).toBe('no failure');
    expect(endpoint.seen.map(({ line }) => line)).toContain('POST /hook/past-the-proxy');
    expect(connects).toHaveLength(1);
    proxy.close();
  });
});

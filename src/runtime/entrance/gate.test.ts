import { afterEach, describe, expect, it } from 'vitest';
import type { EntranceSettings } from './entrance-settings.ts';
import { exchange, RawConnection, raw } from './raw-client.ts';
import { BODY_LIMIT, TestServer } from './test-server.ts';

const ALERT = '{"output":"a","rule":"R","priority":"Notice"}';
const TOKEN = 'token-0123456789abcdef';
const OTHER_TOKEN = 'other-0123456789abcdef';
const USER = 'falco:pass word';
const PATH = '/hooks/0123456789abcdef';
const OTHER_PATH = '/hooks/fedcba9876543210';
const bearer = { authorization: `Bearer ${TOKEN}` };
const basic = { authorization: `Basic ${Buffer.from(USER).toString('base64')}` };

describe('the entrance', () => {
  const begun: TestServer[] = [];
  afterEach(async () => {
    for (const { server } of begun.splice(0)) await server.close();
  });

  async function start(settings: Partial<EntranceSettings>) {
    const tested = new TestServer(settings);
    begun.push(tested);
    const port = await tested.listen();
    const send = (
      path: string,
      headers: Record<string, string> = {},
      method = 'POST',
      body: string | undefined = ALERT,
    ) => exchange(port, { method, path, body, headers });
    return { tested, port, send };
  }

  describe('with tokens and users', () => {
    const settings = { bearerTokens: [TOKEN, OTHER_TOKEN], basicUsers: [USER] };

    it('takes alerts from those who show any of them, on every path', async () => {
      const { tested, send } = await start(settings);
      expect(await send('/', bearer)).toMatchObject({ status: 200, body: '' });
      expect(await send('/x', { authorization: `Bearer ${OTHER_TOKEN}` })).toMatchObject({ status: 200 });
      expect(await send('/y?z', basic)).toMatchObject({ status: 200 });
      expect(tested.received).toHaveLength(3);
    });

    it.each([
      ['nothing', {}],
      ['a wrong token', { authorization: `Bearer ${TOKEN}x` }],
      ['a wrong user', { authorization: 'Basic eDp5' }],
      ['another scheme', { authorization: `Digest ${TOKEN}` }],
    ])('refuses %s', async (_, headers) => {
      const { tested, send } = await start(settings);
      const answer = await send('/', headers);
      expect(answer).toMatchObject({ status: 401, body: 'Unauthorized\n' });
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="falco-talon", Basic realm="falco-talon"');
      expect(tested.received).toEqual([]);
      expect(tested.refused).toEqual(['unauthorized']);
    });

    it('refuses before it says anything else, and before it reads the body', async () => {
      const { tested, port, send } = await start(settings);
      expect(await send('/', {}, 'GET')).toMatchObject({ status: 401 });
      expect(await send('/', {}, 'POST', 'x'.repeat(2 * BODY_LIMIT))).toMatchObject({ status: 401 });
      const connection = await RawConnection.open(port);
      connection.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{');
      await expect.poll(() => connection.statuses).toEqual([401]);
      connection.socket.destroy();
      expect(tested.refused).toEqual(['unauthorized', 'unauthorized', 'unauthorized']);
      expect(await send('/', bearer, 'GET')).toMatchObject({ status: 400 });
    });

    it('asks for them at /metrics, but not at health', async () => {
      const { tested, send } = await start(settings);
      expect(await send('/metrics', {}, 'GET')).toMatchObject({ status: 401 });
      expect(await send('/metrics', basic, 'GET')).toMatchObject({ status: 200, body: 'page 1\n' });
      expect(await send('/healthz', {}, 'GET')).toMatchObject({ status: 200 });
      expect(await send('/readyz', {}, 'GET')).toMatchObject({ status: 200 });
      expect(tested.received).toEqual([]);
    });

    it('does not take the second of two headers', async () => {
      const { tested, port } = await start(settings);
      const heads = [`Authorization: Bearer nonsense\r\nAuthorization: Bearer ${TOKEN}\r\n`];
      for (const head of heads) {
        const request = `POST / HTTP/1.1\r\nHost: x\r\n${head}Content-Length: ${ALERT.length}\r\n\r\n${ALERT}`;
        expect(await raw(port, request)).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      }
      expect(tested.received).toEqual([]);
    });

    it('says nothing secret, and no more than a line in a flood', async () => {
      const { tested, send } = await start(settings);
      for (let time = 0; time < 30; time++) await send(`/${TOKEN}`, { authorization: `Bearer ${TOKEN}${time}` });
      const lines = tested.transitions.filter(({ kind }) => kind !== 'refused');
      expect(lines).toEqual([{ kind: 'turned_away', reason: 'unauthorized', times: 1, address: '127.0.0.1' }]);
      expect(tested.refused).toHaveLength(30);
      expect(JSON.stringify(tested.transitions)).not.toMatch(/token|nonsense/);
    });
  });

  describe('with secret paths', () => {
    const settings = { secretPaths: [PATH, OTHER_PATH] };

    it('takes alerts on those alone', async () => {
      const { tested, port, send } = await start(settings);
      expect(await send(PATH)).toMatchObject({ status: 200 });
      expect(await send(`${OTHER_PATH}?x=1`)).toMatchObject({ status: 200 });
      const absolute = `POST http://talon.example${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${ALERT.length}\r\n\r\n${ALERT}`;
      expect(await raw(port, absolute)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(tested.received).toHaveLength(3);
    });

    it('answers 404 elsewhere, in the same way whatever the path, method and body', async () => {
      const { tested, send } = await start(settings);
      const near = [`${PATH}/`, PATH.slice(0, -1), `${PATH}0`, PATH.toUpperCase(), `/${PATH}`, `${PATH}%20`];
      const far = ['/', '/x', '/hooks', `/?${PATH}`, `/${'x'.repeat(5_000)}`, '/refused/rate', '/%zz'];
      const answers = [];
      for (const path of [...near, ...far]) answers.push(await send(path));
      answers.push(await send('/', {}, 'GET'), await send('/', {}, 'POST', 'x'.repeat(2 * BODY_LIMIT)));
      for (const { status, body, headers } of answers) {
        const { date: _, ...others } = headers;
        expect({ status, body, others }).toEqual({
          status: 404,
          body: 'Not Found\n',
          others: {
            'content-type': 'text/plain; charset=utf-8',
            'x-content-type-options': 'nosniff',
            'content-length': '10',
          },
        });
      }
      expect(tested.received).toEqual([]);
      expect(new Set(tested.refused)).toEqual(new Set(['not_found']));
      expect(JSON.stringify(tested.transitions)).not.toMatch(/hooks/);
    });

    it('leaves metrics and health where they are', async () => {
      const { send } = await start(settings);
      expect(await send('/metrics', {}, 'GET')).toMatchObject({ status: 200 });
      expect(await send('/healthz', {}, 'GET')).toMatchObject({ status: 200 });
      expect(await send('/readyz', {}, 'GET')).toMatchObject({ status: 200 });
    });

    it('wants the credentials too, if some are set', async () => {
      const { tested, send } = await start({ ...settings, bearerTokens: [TOKEN] });
      expect(await send('/', bearer)).toMatchObject({ status: 404 });
      expect(await send(PATH)).toMatchObject({ status: 401 });
      expect(tested.received).toEqual([]);
      expect(await send(PATH, bearer)).toMatchObject({ status: 200 });
    });
  });

  describe('with a rate', () => {
    it('refuses a sender who is too quick, but never health', async () => {
      const { tested, send } = await start({ ratePerSecond: 3 });
      const answers = await Promise.all(Array.from({ length: 40 }, () => send('/')));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused[0]).toMatchObject({ body: 'Too many requests of this sender, please slow down\n' });
      expect(refused[0]?.headers['retry-after']).toBe('1');
      expect(tested.received).toHaveLength(40 - refused.length);
      for (let request = 0; request < 12; request++) {
        expect(await send('/healthz', {}, 'GET')).toMatchObject({ status: 200 });
        expect(await send('/readyz', {}, 'GET')).toMatchObject({ status: 200 });
      }
      expect(tested.refused.every((reason) => reason === 'rate')).toBe(true);
      await expect.poll(async () => (await send('/', {})).status).toBe(200);
    });

    it('counts attempts to guess a secret', async () => {
      const { tested, send } = await start({ ratePerSecond: 2, bearerTokens: [TOKEN] });
      const answers = await Promise.all(Array.from({ length: 40 }, () => send('/')));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
      expect(tested.received).toEqual([]);
    });
  });

  describe('with a port for metrics and health', () => {
    it('has them there, open, and nothing else', async () => {
      const { tested, send } = await start({ ownPort: { host: '127.0.0.1', port: 0 }, bearerTokens: [TOKEN] });
      const own = (path: string, method = 'GET') => exchange(tested.server.ownPort ?? 0, { path, method });
      tested.status = { ready: false, text: 'events cannot be stored', degraded: ['journal: disk full'] };
      expect(await own('/metrics')).toMatchObject({ status: 200, body: 'page 1\n' });
      expect(await own('/healthz')).toMatchObject({ status: 200, body: '{"status": "ok"}' });
      expect(await own('/readyz')).toMatchObject({
        status: 503,
        body: '{"status": "events cannot be stored", "degraded": ["journal: disk full"]}',
      });
      for (const path of ['/', '/x', '/metrics/']) {
        expect(await own(path, 'POST')).toMatchObject({ status: 404, body: 'Not Found\n' });
      }
      for (const path of ['/metrics', '/healthz', '/readyz']) {
        expect(await send(path, {}, 'GET')).toMatchObject({ status: 401 });
        expect(await send(path, bearer, 'GET')).toMatchObject({ status: 400 });
        expect(await send(path, bearer)).toMatchObject({ status: 200, body: '' });
      }
      expect(tested.received).toHaveLength(3);
    });

    it('says which port is taken', async () => {
      const { port } = await start({});
      const other = new TestServer({ ownPort: { host: '127.0.0.1', port } });
      await expect(other.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', port });
      await other.server.close();
    });

    it('closes both', async () => {
      const { tested, port } = await start({ ownPort: { host: '127.0.0.1', port: 0 } });
      const { ownPort = 0 } = tested.server;
      await tested.server.close();
      for (const each of [port, ownPort]) await expect(RawConnection.open(each)).rejects.toThrow('ECONNREFUSED');
    });
  });
});

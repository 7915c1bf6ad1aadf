import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import type { ListenerTimes } from './entrance/http-listener.ts';
import { exchange, RawConnection, type Reply, raw } from './entrance/raw-client.ts';
import { BODY_LIMIT as LIMIT, QUICK, TestServer } from './entrance/test-server.ts';

const ALERT = '{"output":"a","rule":"R","priority":"Notice"}';

describe('Server', () => {
  const { answer: decodes, ...fresh } = new TestServer();
  const tested = new TestServer();
  const { server, received } = tested;
  let port = 0;

  beforeAll(async () => {
    port = await tested.listen();
  });
  afterAll(() => server.close());
  beforeEach(() => {
    tested.forget();
    tested.answer = decodes;
    tested.status = fresh.status;
    tested.page = fresh.page;
  });

  const send = (method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
    exchange(port, { method, path, body, headers });

  describe('alerts', () => {
    it.each([
      ['/', {}],
      ['/foo/bar', {}],
      ['/?x=1', {}],
      ['//', {}],
      ['/foo//bar', {}],
      ['/%zz', {}],
      ['/%', {}],
      ['/a b', {}],
      ['/../../etc/passwd', {}],
      ['/metrics/', {}],
      ['/healthz/x', {}],
      ['/Healthz', {}],
      [`/${'p'.repeat(60_000)}`, {}],
      [`/?${'q'.repeat(20_000)}`, {}],
      ['/', { 'content-type': 'text/plain' }],
      ['/', { 'content-type': 'application/json; charset=utf-8' }],
      ['/', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['/', { 'content-type': 'no type at all' }],
      ['/', { 'content-type': '' }],
      ['/', { 'content-encoding': 'br' }],
      ['/', { 'transfer-encoding': 'chunked' }],
      ['/', { expect: '100-continue' }],
    ] as const)('takes one at %.40s with %j', async (path, headers) => {
      const answer = await send('POST', path, ALERT, headers);
      expect(answer).toMatchObject({ status: 200, body: '' });
      expect(answer.headers['content-length']).toBe('0');
      expect(answer.headers).not.toHaveProperty('content-type');
      expect(received.map(({ body }) => body)).toEqual([ALERT]);
    });

    it.each([
      ['null', 200],
      ['{}', 200],
      [`${ALERT} garbage`, 200],
      [`${ALERT}${ALERT}`, 200],
      [`${ALERT}\n`, 200],
      ['', 400],
      ['{"output": "x"', 400],
      [`[${ALERT}]`, 400],
      ['"x"', 400],
      ['{"priority":4}', 400],
      ['{"time":"yesterday"}', 400],
      [gzipSync(ALERT), 400],
    ])('answers %s with %d', async (body, status) => {
      const answer = await send('POST', '/', body);
      if (status === 200) expect(answer).toMatchObject({ status, body: '' });
      else expectRefusal(answer, 400, 'Please send a valid request body\n');
    });

    it('answers a POST without any body with 400', async () => {
      expectRefusal(await send('POST', '/'), 400, 'Please send a valid request body\n');
    });

    it('hands over the trace context', async () => {
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      await send('POST', '/', ALERT, { traceparent });
      expect(received[0]?.traceparent).toBe(traceparent);
    });

    it.each([
      [undefined, 'Too many events are being handled, please try again\n'],
      ['full', 'Too many events are being handled, please try again\n'],
      ['not_stored', 'The event could not be stored, please try again\n'],
    ] as const)('asks to come again with %s', async (reason, text) => {
      tested.answer = (_, answer) => answer(503, reason);
      const answer = await send('POST', '/', ALERT);
      expectRefusal(answer, 503, text);
      expect(answer.headers['retry-after']).toBe('1');
    });

    it('bears an answer for somebody who is gone', async () => {
      const connection = await RawConnection.open(port);
      const answerNow = await new Promise<() => void>((resolve) => {
        tested.answer = (_, answer) => resolve(() => answer(200));
        connection.write(alertRequest());
      });
      connection.socket.destroy();
      await connection.closed;
      await new Promise((resolve) => setTimeout(resolve, 50));
      answerNow();
      tested.answer = decodes;
      expect(await send('POST', '/', ALERT)).toMatchObject({ status: 200 });
      expect(tested.faults).toEqual([]);
    });
  });

  describe('size', () => {
    it.each([LIMIT - 1, LIMIT])('takes a body of %d bytes', async (size) => {
      expect(await send('POST', '/', body(size))).toMatchObject({ status: 200 });
      expect(received[0]?.body).toHaveLength(size);
    });

    it.each([
      [LIMIT + 1, {}],
      [LIMIT + 1, { 'transfer-encoding': 'chunked' }],
      [8 * LIMIT, {}],
      [8 * LIMIT, { 'transfer-encoding': 'chunked' }],
    ])('answers a body of %d bytes with 413, with %j', async (size, headers) => {
      const answer = await send('POST', '/', body(size), headers);
      expectRefusal(answer, 413, 'The request body is larger than the limit\n');
      expect(received).toEqual([]);
      expect(tested.refused).toEqual(['too_large']);
    });

    it('answers a head that is too large', async () => {
      const answer = await raw(port, `POST /${'p'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  describe('other methods', () => {
    it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'])(
      'refuses %s',
      async (method) => {
        expectRefusal(await send(method, '/nope'), 400, 'Please send with POST http method\n');
        expect(tested.refused).toEqual(['method']);
      },
    );

    it('refuses HEAD, without a body but with its length', async () => {
      const answer = await send('HEAD', '/');
      expect(answer).toMatchObject({ status: 400, body: '' });
      expect(answer.headers['content-length']).toBe('34');
    });

    it('refuses them whatever the body', async () => {
      expectRefusal(await send('PUT', '/', body(2 * LIMIT)), 400, 'Please send with POST http method\n');
    });

    it('refuses CONNECT, which asks for a tunnel', async () => {
      const answer = await raw(port, 'CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain('\r\n\r\nPlease send with POST http method\n');
      expect(tested.refused).toEqual(['method']);
    });

    it('refuses a method that is none', async () => {
      const answer = await raw(port, `post / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain('\r\n\r\nPlease send with POST http method\n');
    });
  });

  describe('reserved paths', () => {
    it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
      '/healthz is fine with %s',
      async (method) => {
        const answer = await send(method, '/healthz?x=1', method === 'GET' ? undefined : ALERT);
        expect(answer).toMatchObject({ status: 200, body: '{"status": "ok"}' });
        expect(answer.headers['content-type']).toBe('application/json');
        expect(received).toEqual([]);
      },
    );

    it('/readyz says when the server ends', async () => {
      expect(await send('GET', '/readyz')).toMatchObject({ status: 200, body: '{"status": "ok"}' });
      tested.status = { ready: false, text: 'shutting down', degraded: [] };
      expect(await send('GET', '/readyz')).toMatchObject({ status: 503, body: '{"status": "shutting down"}' });
    });

    it('/readyz says what is degraded and stays ready', async () => {
      tested.status = { ready: true, text: 'ok', degraded: ['rules: "a" is\n no rule', 'kubernetes: no answer'] };
      const answer = await send('GET', '/readyz');
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toEqual({ status: 'ok', degraded: tested.status.degraded });
    });

    it('/metrics shows the page', async () => {
      const answer = await send('GET', '/metrics');
      expect(answer).toMatchObject({ status: 200, body: 'page 1\n' });
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
    });

    it('a fault of ours is a 500 and is told, not blamed on the sender', async () => {
      tested.page = async () => {
        throw new Error('no page today');
      };
      const answer = await send('GET', '/metrics');
      expect(answer).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
      expect(tested.faults).toEqual(['no page today']);
      expect(tested.refused).toEqual([]);
    });
  });

  describe('clients that misbehave', () => {
    it.each([
      'nonsense\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
      'POST / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ])('answers %j with 400 and lives', async (text) => {
      expect(await raw(port, text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(received).toEqual([]);
      expect(await send('POST', '/', ALERT)).toMatchObject({ status: 200 });
    });

    it('survives connections that are cut anywhere', async () => {
      const full = alertRequest();
      for (let length = 0; length < full.length; length += 7) await cut(port, full.slice(0, length));
      expect(received).toEqual([]);
      expect(await send('POST', '/', ALERT)).toMatchObject({ status: 200 });
    });
  });
});

describe.concurrent('the time of a server', () => {
  /** A server that has little time. It is closed when the test ends. */
  async function start(
    onTestFinished: TestContext['onTestFinished'],
    times: ListenerTimes | 'production' = QUICK,
  ): Promise<{ tested: TestServer; connection: RawConnection; port: number }> {
    const tested = new TestServer({}, { times });
    onTestFinished(() => tested.server.close());
    const port = await tested.listen();
    return { tested, port, connection: await RawConnection.open(port) };
  }

  it('has no end for the answer, which may come much later', async ({ expect, onTestFinished }) => {
    const { tested, port } = await start(onTestFinished);
    tested.answer = (_, answer) => setTimeout(answer, 2_500, 200);
    expect(await exchange(port, { body: ALERT })).toMatchObject({ status: 200, body: '' });
  });

  it.for([
    ['a head that stalls', 'POST / HTTP/1.1\r\nHost: x\r\n'],
    ['a body that stalls', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"rule"'],
    ['a chunk that stalls', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"rul'],
  ] as const)('cuts off %s with 408', async ([, begun], { expect, onTestFinished }) => {
    const { tested, connection } = await start(onTestFinished);
    await connection.write(begun).closed;
    const { answer } = connection;
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toContain('\r\n\r\nThe request took too long to arrive\n');
    expect(tested.received).toEqual([]);
    expect(tested.refused).toEqual(['timeout']);
  });

  it('is two seconds for a request, as in Falco Talon', async ({ expect, onTestFinished }) => {
    const { connection } = await start(onTestFinished, 'production');
    const begun = performance.now();
    await connection.write('POST / HTTP/1.1\r\n').closed;
    expect(connection.statuses).toEqual([408]);
    expect(performance.now() - begun).toBeGreaterThan(1_900);
  });

  it('cuts off who does not read the answer', async ({ expect, onTestFinished }) => {
    const { tested, connection } = await start(onTestFinished);
    const length = 64 * 2 ** 20;
    const asked = new Promise<void>((resolve) => {
      tested.page = async () => {
        resolve();
        return 'x'.repeat(length);
      };
    });
    connection.socket.pause();
    connection.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    connection.socket.resume();
    await connection.closed;
    expect(connection.answer.length).toBeLessThan(length);
  });
});

function cut(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.destroy()));
    socket.on('close', () => resolve());
  });
}

function alertRequest(): string {
  return `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${ALERT.length}\r\n\r\n${ALERT}`;
}

function body(size: number): string {
  const head = '{"output":"';
  return `${head}${'x'.repeat(size - head.length - 2)}"}`;
}

function expectRefusal(answer: Reply, status: number, text: string): void {
  expect(answer).toMatchObject({ status, body: text });
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.headers['content-length']).toBe(String(text.length));
}

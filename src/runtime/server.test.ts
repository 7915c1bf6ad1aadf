import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeEvent } from '../model/decode-event.ts';
import type { Refusal, Transition } from '../model/transition.ts';
import { Server } from './server.ts';

const LIMIT = 1 << 20;
const ALERT = '{"output":"a","rule":"R","priority":"Notice"}';

interface Received {
  readonly body: string;
  readonly traceparent: unknown;
}

describe('Server', () => {
  const received: Received[] = [];
  const refused: Refusal[] = [];
  const faults: string[] = [];
  let full = false;
  let ready = true;
  let page = async () => 'page 1\n';
  let port = 0;
  const server = new Server({
    intake: {
      receive: (body, traceparent) => {
        received.push({ body: body.toString(), traceparent });
        if (full) return 503;
        return decodeEvent(body).ok ? 200 : 400;
      },
    },
    limits: { bodyBytes: LIMIT, connections: 64 },
    telemetry: {
      emit: (transition: Transition) => {
        if (transition.kind === 'refused') refused.push(transition.reason);
        if (transition.kind === 'fault') faults.push(transition.error);
      },
      accepted: () => undefined,
    },
    metrics: { contentType: 'text/plain; version=0.0.4', page: () => page() },
    isReady: () => ready,
  });

  beforeAll(async () => {
    port = await server.listen('127.0.0.1', 0);
  });
  afterAll(() => server.close());
  beforeEach(() => {
    received.length = 0;
    refused.length = 0;
    full = false;
    ready = true;
  });

  const send = (method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
    exchange(port, method, path, body, headers);

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

    it('asks to come again when there is no room', async () => {
      full = true;
      const answer = await send('POST', '/', ALERT);
      expectRefusal(answer, 503, 'Too many events are being handled, please try again\n');
      expect(answer.headers['retry-after']).toBe('1');
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
      expect(refused).toEqual(['too_large']);
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
        expect(refused).toEqual(['method']);
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
      expect(refused).toEqual(['method']);
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
      ready = false;
      expect(await send('GET', '/readyz')).toMatchObject({ status: 503, body: '{"status": "shutting down"}' });
    });

    it('/metrics shows the page', async () => {
      const answer = await send('GET', '/metrics');
      expect(answer).toMatchObject({ status: 200, body: 'page 1\n' });
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
    });

    it('a fault of ours is a 500 and is told, not blamed on the sender', async () => {
      page = async () => {
        throw new Error('no page today');
      };
      const answer = await send('GET', '/metrics');
      expect(answer).toMatchObject({ status: 500, body: 'Internal Server Error\n' });
      expect(faults).toEqual(['no page today']);
      expect(refused).toEqual([]);
    });
  });

  describe('clients that misbehave', () => {
    it.each([
      ['a head that stalls', 'POST / HTTP/1.1\r\nHost: x\r\n'],
      ['a body that stalls', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"rule"'],
      ['a chunk that stalls', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"rul'],
    ])('cuts off %s with 408', async (_, start) => {
      const begun = Date.now();
      const answer = await raw(port, start, { end: false });
      expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
      expect(answer).toContain('\r\n\r\nThe request took too long to arrive\n');
      expect(Date.now() - begun).toBeLessThan(3_500);
      expect(received).toEqual([]);
      expect(refused).toEqual(['timeout']);
    });

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

    it('cuts off who does not read the answer', async () => {
      const length = 64 * 2 ** 20;
      page = async () => 'x'.repeat(length);
      const answer = raw(port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', { end: false, readAfter: 7_500 });
      expect((await answer).length).toBeLessThan(length);
    }, 15_000);

    it('survives connections that are cut anywhere', async () => {
      const full = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${ALERT.length}\r\n\r\n${ALERT}`;
      for (let length = 0; length < full.length; length += 7) await cut(port, full.slice(0, length));
      expect(received).toEqual([]);
      expect(await send('POST', '/', ALERT)).toMatchObject({ status: 200 });
    });
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

function exchange(port: number, method: string, path: string, body: string | Buffer | undefined, headers: object) {
  return new Promise<Answer>((resolve, reject) => {
    const length =
      body !== undefined && !('transfer-encoding' in headers) ? { 'content-length': Buffer.byteLength(body) } : {};
    const request = httpRequest({ port, host: '127.0.0.1', method, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    // Not through the options: Node refuses paths with spaces there.
    request.path = path.replaceAll(' ', '%20');
    request.on('error', reject);
    request.end(body);
  });
}

function raw(port: number, text: string, { end = true, readAfter = 0 } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(text) : socket.write(text)));
    if (readAfter > 0) {
      socket.pause();
      setTimeout(() => socket.resume(), readAfter);
    }
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

function cut(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, () => socket.destroy()));
    socket.on('close', () => resolve());
  });
}

function body(size: number): string {
  const head = '{"output":"';
  return `${head}${'x'.repeat(size - head.length - 2)}"}`;
}

function expectRefusal(answer: Answer, status: number, text: string): void {
  expect(answer).toMatchObject({ status, body: text });
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.headers['content-length']).toBe(String(text.length));
}

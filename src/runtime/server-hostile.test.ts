import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange, RawConnection, raw } from './entrance/raw-client.ts';
import { QUICK, TestServer } from './entrance/test-server.ts';
import type { Answer } from './intake.ts';

const ALERT = '{"output":"a","rule":"R","priority":"Notice"}';
const MIB = 1 << 20;

describe('hostile senders', () => {
  let tested: TestServer;
  let port: number;
  let open: RawConnection[];

  beforeEach(async () => {
    tested = new TestServer({}, { connections: 4_096 });
    port = await tested.listen();
    open = [];
  });
  afterEach(async () => {
    for (const { socket } of open) socket.destroy();
    await tested.server.close();
  });

  /** Puts a server in the place of the patient one that has little time for anybody. */
  async function hurry(): Promise<void> {
    await tested.server.close();
    tested = new TestServer({}, { connections: 4_096, times: QUICK });
    port = await tested.listen();
  }

  async function connect(): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    open.push(connection);
    return connection;
  }

  /** Not all in one moment: the system keeps so many callers waiting, and loses the others. */
  async function connectMany(count: number, begin = ''): Promise<readonly RawConnection[]> {
    const connectOne = async () => (await connect()).write(begin);
    const connections: RawConnection[] = [];
    while (connections.length < count) {
      const batch = Math.min(200, count - connections.length);
      connections.push(...(await Promise.all(Array.from({ length: batch }, connectOne))));
    }
    return connections;
  }

  /** The receiver keeps answering others. */
  async function expectOthersAnswered(): Promise<void> {
    expect(await exchange(port, { body: ALERT })).toMatchObject({ status: 200, body: '' });
    expect(await exchange(port, { method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
  }

  describe('who are slow', () => {
    it('drop a byte now and then: heads and bodies have the same time as others', async () => {
      await hurry();
      const starts = ['POST / HTTP/1.1\r\nX-A: ', head(`Content-Length: 10000`), head('Transfer-Encoding: chunked')];
      const connections = await connectMany(60);
      for (const [index, connection] of connections.entries()) connection.write(starts[index % 3] as string);
      const drip = setInterval(() => {
        for (const { socket } of connections) if (socket.writable) socket.write('1');
      }, 100);
      await expectOthersAnswered();
      await Promise.all(connections.map(({ closed }) => closed));
      clearInterval(drip);
      for (const { statuses } of connections)
        expect(statuses.length === 0 || statuses[0] === 408 || statuses[0] === 400).toBe(true);
      expect(tested.received).toHaveLength(1);
    });

    it('say nothing at all, thousands of them', async () => {
      await hurry();
      const connections = await connectMany(2_000);
      await expectOthersAnswered();
      await Promise.all(connections.map(({ closed }) => closed));
      expect(tested.received).toHaveLength(1);
    });

    it('keep connections idle after a request, and are let', async () => {
      await hurry();
      const connections = await connectMany(500, alert());
      await expect.poll(() => connections.every(({ statuses }) => statuses[0] === 200)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await expectOthersAnswered();
      for (const connection of connections) connection.write(alert());
      await expect.poll(() => connections.every(({ statuses }) => statuses.length === 2)).toBe(true);
    });
  });

  describe('who send much', () => {
    it.each([
      ['one endless head line', () => 'X-A: '.padEnd(64 * 1024, 'a')],
      ['endless head lines', () => 'X-A: b\r\n'.repeat(8 * 1024)],
    ])('%s: no more is kept than a head may have', async (_, more) => {
      const connection = await connect();
      connection.write('POST / HTTP/1.1\r\n');
      for (let part = 0; part < 64 && connection.socket.writable; part++) {
        connection.write(more());
        await new Promise((resolve) => setImmediate(resolve));
      }
      await connection.closed;
      expect(connection.statuses).toEqual([431]);
      await expectOthersAnswered();
    });

    it.each([
      ['that is announced', head(`Content-Length: ${1 << 30}`), (bytes: string) => bytes],
      [
        'that is not announced',
        head('Transfer-Encoding: chunked'),
        (bytes: string) => `${bytes.length.toString(16)}\r\n${bytes}\r\n`,
      ],
      ['with a length beyond counting', head('Content-Length: 9007199254740993'), (bytes: string) => bytes],
    ])('a body without end %s: no more is kept than a body may have', async (_, start, frame) => {
      const connections = await connectMany(8);
      global.gc?.();
      const before = process.memoryUsage().rss;
      const part = frame('x'.repeat(MIB));
      for (const connection of connections) connection.write(start);
      for (let sent = 0; sent < 40; sent++) {
        for (const { socket } of connections) if (socket.writable) socket.write(part);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await expect.poll(() => connections.every(({ statuses }) => statuses[0] === 413)).toBe(true);
      // The 320 MiB that were sent come from this process too, and wait in its sockets for a while.
      expect(process.memoryUsage().rss - before).toBeLessThan(700 * MIB);
      await expectOthersAnswered();
      expect(tested.received).toHaveLength(1);
    });

    it.each([
      ['announce', head(`Content-Length: ${MIB}`), '{'],
      ['do not announce', head('Transfer-Encoding: chunked'), `${(MIB / 2).toString(16)}\r\n{`],
    ])(
      'bodies of the largest size at once, which they %s: there is room for some, and again when they are gone',
      async (_, start, more) => {
        const connections = await connectMany(200);
        for (const connection of connections) connection.write(start + more);
        await expect.poll(() => tested.refused.filter((reason) => reason === 'full').length).toBe(200 - 64);
        await expectOthersAnswered();
        for (const { socket } of connections) socket.destroy();
        const large = `{"output":"${'x'.repeat(MIB - 20)}"}`;
        await expect.poll(async () => (await exchange(port, { body: large })).status).toBe(200);
      },
    );

    it('a length that is no length', async () => {
      for (const length of ['-1', '+2', '0x2', '2,2', '1e1', ' ', '2 2', '99999999999999999999']) {
        expect(await raw(port, `${head(`Content-Length: ${length}`)}{}`), length).toMatch(/^HTTP\/1\.1 4(00|13) /);
      }
      expect(tested.received).toEqual([]);
    });

    it('more connections than there may be: the rest is turned away, and there is room again', async () => {
      const small = new TestServer({}, { connections: 10, times: QUICK });
      const smallPort = await small.listen();
      const many = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(smallPort)));
      await Promise.all(many.map(({ closed }) => closed));
      expect(await exchange(smallPort, { body: ALERT })).toMatchObject({ status: 200 });
      await small.server.close();
    });
  });

  describe('who break the framing', () => {
    it.each([
      'zz\r\n{}\r\n0\r\n\r\n',
      '-2\r\n{}\r\n0\r\n\r\n',
      '0x2\r\n{}\r\n0\r\n\r\n',
      '2\n{}\n0\n\n',
      '2\r\n{}0\r\n\r\n',
      '2\r\n{}\r\nGET / HTTP/1.1\r\n\r\n',
      'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n',
      `2;${'e'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`,
      `2\r\n{}\r\n0\r\n${'T: trailer\r\n'.repeat(20_000)}\r\n`,
      '\r\n2\r\n{}\r\n0\r\n\r\n',
    ])('broken chunks %# are no alert', async (chunks) => {
      const connection = await connect();
      connection.write(head('Transfer-Encoding: chunked') + chunks);
      await connection.closed;
      expect(connection.statuses.every((status) => status >= 400)).toBe(true);
      expect(tested.received).toEqual([]);
      await expectOthersAnswered();
    });

    it.each([
      'Content-Length: 4\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked\r\nContent-Length: 4',
      'Content-Length: 2\r\nContent-Length: 44',
      'Content-Length: 2, 44',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding: identity',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding: "chunked"',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
      'Transfer-Encoding : chunked',
      ' Transfer-Encoding: chunked',
      'Transfer-Encoding:\x0bchunked',
      'Transfer-Encoding: chunked\r\n : x',
      'Content-Length : 2',
      'Content-Length: 2\r\n\tX: folded',
      'Content\x00-Length: 2',
      'X: a\rb',
      'X: a\nContent-Length: 2',
    ])('nobody can hide a request behind %j', async (lines) => {
      const hidden = 'POST /hidden HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
      const connection = await connect();
      connection.write(`POST / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n0\r\n\r\n${hidden}`);
      await connection.closed;
      // Whatever the first one is taken for, two readers of it must not come to different ends: so it is the last.
      expect(connection.statuses).toHaveLength(1);
      expect(connection.statuses[0]).toBeGreaterThanOrEqual(400);
      expect(tested.received).toEqual([]);
      await expectOthersAnswered();
    });

    it.each([
      ['no version', 'POST /\r\n\r\n'],
      ['an old version', 'POST / HTTP/0.9\r\nHost: x\r\n\r\n'],
      ['a new version', 'POST / HTTP/3.0\r\nHost: x\r\n\r\n'],
      ['no host', 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'],
      ['no path', 'POST  HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['control characters in the path', 'POST /\x01 HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['an endless method', `${'A'.repeat(100_000)} / HTTP/1.1\r\nHost: x\r\n\r\n`],
      ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(517, '\x00')],
      ['an unknown expectation', `${head('Expect: the worst\r\nContent-Length: 2')}{}`],
      ['noise', '\x00\xff\x13\x37'.repeat(10_000)],
    ])('%s is refused', async (_, bytes) => {
      const answer = await raw(port, Buffer.from(bytes, 'latin1'));
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(tested.received.filter(({ body }) => body !== '')).toEqual([]);
      await expectOthersAnswered();
    });

    it('an offer of another protocol is left alone', async () => {
      const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ';
      expect(await raw(port, `${head(`${offer}\r\nContent-Length: ${ALERT.length}`)}${ALERT}`)).toMatch(
        /^HTTP\/1\.1 200 OK\r\n/,
      );
    });
  });

  describe('who send several requests at once', () => {
    it('are answered in order, also when the first waits for the disk', async () => {
      const waiting: Answer[] = [];
      tested.answer = (body, answer) => {
        if (body.includes('slow')) waiting.push(answer);
        else answer(body.includes('full') ? 503 : 200);
      };
      const connection = await connect();
      const bodies = ['{"a":"slow"}', '{}', '{"a":"full"}', '{"b":"slow"}'];
      connection.write(`${bodies.map(alert).join('')}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
      await expect.poll(() => tested.received.length).toBe(4);
      expect(connection.answer).toBe('');
      waiting[1]?.(503, 'not_stored');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(connection.answer).toBe('');
      waiting[0]?.(200);
      await expect.poll(() => connection.statuses).toEqual([200, 200, 503, 503, 200]);
    });

    it('get the refusal of a broken one after the answers to those before it', async () => {
      let answerFirst: Answer = () => undefined;
      tested.answer = (body, answer) => {
        if (body.includes('slow')) answerFirst = answer;
        else answer(200);
      };
      const connection = await connect();
      connection.write(`${alert('{"a":"slow"}')}${alert()}${alert()}nonsense\r\n\r\n`);
      await expect.poll(() => tested.refused).toEqual(['method']);
      connection.write('more nonsense\r\n\r\n'.repeat(100));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(connection.answer).toBe('');
      answerFirst(200);
      await connection.closed;
      expect(connection.statuses).toEqual([200, 200, 200, 400]);
    });

    it('get the refusal of one that stalls after the answers to those before it', async () => {
      await hurry();
      let answerFirst: Answer = () => undefined;
      tested.answer = (_, answer) => {
        answerFirst = answer;
      };
      const connection = await connect();
      connection.write(`${alert()}${head('Content-Length: 100')}{`);
      await expect.poll(() => tested.refused).toEqual(['timeout']);
      expect(connection.answer).toBe('');
      answerFirst(200);
      await connection.closed;
      expect(connection.statuses).toEqual([200, 408]);
    });

    it('and read no answer: the server stops reading them', async () => {
      await hurry();
      const connection = await connect();
      connection.socket.pause();
      const packet = alert().repeat(1_000);
      let accepted = 0;
      for (let part = 0; part < 200; part++) {
        if (connection.socket.writableLength > 4 * MIB) break;
        connection.write(packet);
        accepted = part;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      let handled: number;
      do {
        handled = tested.received.length;
        await new Promise((resolve) => setTimeout(resolve, 300));
      } while (tested.received.length > handled);
      expect(handled).toBeLessThan((accepted + 1) * 1_000);
      await expectOthersAnswered();
      await connection.closed;
    });
  });

  describe('who close their side', () => {
    it('get their answer, though it has to wait', async () => {
      tested.answer = (_, answer) => setTimeout(answer, 300, 200);
      expect(await raw(port, alert())).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(await raw(port, alert() + alert())).toMatch(/^(HTTP\/1\.1 200 OK\r\n[\s\S]*){2}$/);
    });

    it('in the middle of a request are told, and forgotten', async () => {
      for (const text of ['POST', head('Content-Length: 10'), `${head('Transfer-Encoding: chunked')}5\r\n{`]) {
        expect(await raw(port, text)).toMatch(/^(HTTP\/1\.1 400 |$)/);
      }
      await expectOthersAnswered();
      expect(tested.received).toHaveLength(1);
    });

    it('reset the connection while their answer waits', async () => {
      const answers: Answer[] = [];
      tested.answer = (_, answer) => answers.push(answer);
      const connections = await connectMany(100);
      for (const connection of connections) connection.write(alert());
      await expect.poll(() => answers.length).toBe(100);
      for (const { socket } of connections) socket.resetAndDestroy();
      await Promise.all(connections.map(({ closed }) => closed));
      for (const answer of answers) answer(200);
      tested.answer = (_, answer) => answer(200);
      await expectOthersAnswered();
      expect(tested.faults).toEqual([]);
    });
  });

  describe('at the end', () => {
    it('waiting senders get their answer, and nobody holds the server up', async () => {
      await hurry();
      const answers: Answer[] = [];
      tested.answer = (_, answer) => answers.push(answer);
      const waiting = await connect();
      waiting.write(alert());
      const idle = await connect();
      const half = await connect();
      half.write('POST / HTTP/1.1\r\nHost');
      await expect.poll(() => answers.length).toBe(1);
      const closed = tested.server.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      answers[0]?.(200);
      await Promise.all([closed, waiting.closed, idle.closed, half.closed]);
      expect(waiting.statuses).toEqual([200]);
      expect(tested.received).toHaveLength(1);
    });
  });

  it('never crash it, whatever the bytes', async () => {
    const pieces = [
      'POST ',
      '/',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      ':',
      ' ',
      'Content-Length',
      'Transfer-Encoding',
      'chunked',
      '0',
      '5',
      '\x00',
      '\xff',
      '{}',
      'Host: x',
      'GET ',
    ];
    let seed = 7;
    const next = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % limit;
    };
    for (let round = 0; round < 20; round++) {
      const connections = await connectMany(25);
      for (const connection of connections) {
        const length = next(30);
        const bytes = Array.from({ length }, () => pieces[next(pieces.length)]).join('');
        connection.write(Buffer.from(bytes, 'latin1')).end();
      }
      await Promise.all(connections.map(({ closed }) => closed));
    }
    await expectOthersAnswered();
    expect(tested.faults).toEqual([]);
  });
});

function head(lines: string): string {
  return `POST / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`;
}

function alert(body = ALERT): string {
  return `${head(`Content-Length: ${body.length}`)}${body}`;
}

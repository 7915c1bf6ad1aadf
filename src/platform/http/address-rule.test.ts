import type { LookupAddress } from 'node:dns';
import { createServer as createTlsServer } from 'node:https';
import { connect, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createAddressRule, type Resolve } from './address-rule.ts';
import { createHttpDoors } from './http-doors.ts';
import { RecordingEndpoint } from './recording-endpoint.ts';

const endpoint = new RecordingEndpoint().use();
const never = new AbortController().signal;
const METADATA = /its address is that of a metadata service, or link-local$/;

/** A resolver that gives each question the next of these answers; the last one again and again. */
function resolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const resolve: Resolve = (host, { all }, found) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    const addresses: LookupAddress[] = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = addresses;
    if (all) found(null, addresses);
    else found(null, first?.address ?? '', first?.family);
  };
  return { resolve, asked };
}

/** What becomes of a request to a name, over a connection of its own. */
async function sendTo(url: string, resolve: Resolve, ownPorts: readonly number[] = []): Promise<string> {
  const doors = createHttpDoors({ secretOf: () => undefined, resolve, ownPorts });
  const target = { kind: 'endpoint', name: 'x', url, headers: {} } as const;
  const answer = doors.adapters['http.send'](target, { method: 'GET' }, false, never);
  const end = await answer.then(
    ({ status }) => String(status),
    (error: Error) => error.message,
  );
  await doors.close();
  return end;
}

describe('a name', () => {
  const url = () => `http://hooks.example.org:${endpoint.port}/hook`;

  it('is looked up once for a connection, which is made to what was found', async () => {
    const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
    expect(await sendTo(url(), resolve)).toBe('200');
    expect(asked).toEqual(['hooks.example.org']);
    expect(await sendTo(url(), resolve)).toMatch(METADATA);
    expect(endpoint.seen).toHaveLength(1);
  });

  it('that changes what it means between two requests of one server gets no further', async () => {
    const { resolve, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const doors = createHttpDoors({ secretOf: () => undefined, resolve });
    const target = { kind: 'endpoint', name: 'x', url: url(), headers: {} } as const;
    const send = () => doors.adapters['http.send'](target, { method: 'GET' }, false, never);
    endpoint.answers.set('GET /hook', (response) => void response.writeHead(200, { connection: 'close' }).end());
    expect(await send()).toMatchObject({ status: 200 });
    await expect(send()).rejects.toMatchObject({ code: 'refused', message: expect.stringMatching(METADATA) });
    expect(asked).toHaveLength(2);
    await doors.close();
  });

  it.each([
    [['169.254.169.254']],
    [['127.0.0.1', '169.254.169.254']],
    [['::ffff:169.254.169.254']],
    [['::ffff:a9fe:a9fe']],
    [['64:ff9b::a9fe:a9fe']],
    [['64:ff9b:1::a9fe:a9fe']],
    [['2002:a9fe:a9fe::']],
    [['fe80::1%eth0']],
    [['fd00:ec2::254']],
  ])('that leads to %j is not connected to', async (addresses) => {
    expect(await sendTo(url(), resolver(addresses).resolve)).toMatch(METADATA);
    expect(endpoint.seen).toEqual([]);
  });

  it.each([['127.0.0.1'], ['0.0.0.0'], ['::1'], ['::'], ['::ffff:127.0.0.1'], ['::ffff:7f00:1'], ['64:ff9b::7f00:1']])(
    'that leads to %s is not connected to where this server listens',
    async (address) => {
      const { resolve } = resolver([address]);
      expect(await sendTo(url(), resolve, [endpoint.port])).toMatch(/it is this very server$/);
      expect(endpoint.seen).toEqual([]);
    },
  );

  it('that leads to no address is not connected to', async () => {
    expect(await sendTo(url(), resolver(['../x']).resolve)).toMatch(/its name leads to no address$/);
  });

  it('is not followed to another by a redirect', async () => {
    const { resolve, asked } = resolver(['127.0.0.1']);
    for (const location of ['http://169.254.169.254/latest', `http://other.example.org:${endpoint.port}/`]) {
      endpoint.answers.set('GET /hook', { status: 307, headers: { location } });
      expect(await sendTo(url(), resolve)).toBe('307');
    }
    expect(asked).toEqual(['hooks.example.org', 'hooks.example.org']);
  });

  it('is looked up again for a redirect to itself', async () => {
    const { resolve } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const headers = { location: '/other', connection: 'close' };
    endpoint.answers.set('GET /hook', { status: 307, headers });
    expect(await sendTo(url(), resolve)).toMatch(METADATA);
  });

  it('is checked for TLS too, before a byte is sent', async () => {
    const hellos: unknown[] = [];
    const server = createTlsServer({});
    server.on('connection', (socket) => hellos.push(socket));
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const own = await sendTo(`https://hooks.example.org:${port}/`, resolver(['127.0.0.1']).resolve, [port]);
    expect(own).toMatch(/it is this very server$/);
    expect(hellos).toEqual([]);
    server.close();
  });
});

describe('the rule', () => {
  const rule = createAddressRule([443], resolver(['127.0.0.1']).resolve);
  const refusal = (host: string, port = 80) => {
    try {
      rule.check(host, port);
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each(['metadata.google.internal', 'Metadata.Google.Internal.', 'metadata.goog', 'instance-data.ec2.internal'])(
    'knows the name %s, which a proxy would look up',
    (name) => expect(refusal(name)).toMatch(METADATA),
  );

  it('lets others pass', () => {
    for (const host of ['metadata', 'metadata.google.internal.example.org', '127.0.0.1', '10.0.0.1', '2001:db8::1'])
      expect(refusal(host)).toBe('none');
  });

  it('knows the addresses of this machine however they are written', () => {
    const own = Object.values(networkInterfaces()).flatMap(
      (all) => all?.filter(({ family }) => family === 'IPv4') ?? [],
    );
    for (const { address } of own) {
      const hex = Buffer.from(address.split('.').map(Number)).toString('hex').replace(/^.{4}/, '$&:');
      expect(refusal(`::ffff:${hex}`, 443)).toMatch(/it is this very server$/);
    }
  });

  it('gives a socket the addresses that it checked', async () => {
    const { port } = endpoint;
    const lookup: LookupFunction = createAddressRule([], resolver(['127.0.0.1'], ['127.0.0.2']).resolve).lookup(port);
    const socket = connect({ host: 'hooks.example.org', port, lookup });
    await new Promise<void>((connected) => void socket.once('connect', connected));
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });
});

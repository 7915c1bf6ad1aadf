import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Peer } from './peer.ts';

/** A request that came. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP endpoint in the test run itself, for receivers of which there is no program to run. */
export interface Recorder extends Peer {
  readonly requests: readonly RecordedRequest[];
  /** How it answers from now on; 200 without a body until it is told otherwise. */
  reply(how: (request: RecordedRequest) => Reply | Promise<Reply>): void;
}

export async function startRecorder(): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const state = { how: (_: RecordedRequest): Reply | Promise<Reply> => ({ status: 200 }) };
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url: target = '', headers } = incoming;
    const request = { method, target, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const { status, body = '', headers: given = {} } = await state.how(request);
    response.writeHead(status, given).end(body);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    reply(how) {
      state.how = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A recorder's answer that is the answer of another server, which gets the request as it came. */
export async function forward(upstream: string, { method, target, headers, body }: RecordedRequest): Promise<Reply> {
  const kept = Object.entries(headers).filter(([name, value]) => typeof value === 'string' && !OF_CONNECTION.has(name));
  const init = {
    method,
    headers: Object.fromEntries(kept) as Record<string, string>,
    ...(body === '' ? {} : { body }),
  };
  const response = await fetch(`${upstream}${target}`, init);
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    body: await response.text(),
    ...(type === null ? {} : { headers: { 'content-type': type } }),
  };
}

/** Headers that are between two neighbours and that `fetch` sets itself. */
const OF_CONNECTION = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'expect']);

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

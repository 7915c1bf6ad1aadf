import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

/** The bearer token of the kubeconfig files. */
export const TOKEN = 'a-token-that-must-not-be-shown';

/** A request that came in. */
export interface Seen {
  /** Method and path. */
  readonly line: string;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answer = WholeAnswer | StreamedAnswer | 'silence' | 'hang up';

/** An answer that goes on, as that of a watch. */
export type StreamedAnswer = (stream: ServerResponse) => void;

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** For tests: a real HTTP server in the place of a Kubernetes API server, which notes requests and answers as it was told. */
export class RecordingApi {
  readonly seen: Seen[] = [];
  /** By method and path; everything else is not found, unless `otherwise` knows an answer. */
  readonly answers = new Map<string, Answer>();
  otherwise: (line: string) => Answer | undefined = () => undefined;
  readonly sockets = new Set<Socket>();
  /** What becomes of requests for a WebSocket. */
  upgrade: Upgrade | undefined;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'talon-kube-'));
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const line = `${request.method} ${request.url}`;
      this.seen.push({ line, ...(await read(request)) });
      const answer = this.answers.get(line) ?? this.otherwise(line) ?? statusOf(404, 'NotFound', 'not found');
      if (answer === 'silence') return;
      if (answer === 'hang up') return void request.socket.destroy();
      if (typeof answer === 'function') return void answer(response);
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.seen.push({ line: `${request.method} ${request.url}`, ...headersOf(request), body: undefined });
      if (this.upgrade) this.upgrade(request, socket, head);
      else socket.destroy();
    });
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Forgets requests and answers. */
  reset(): void {
    this.seen.length = 0;
    this.answers.clear();
    this.otherwise = () => undefined;
    this.upgrade = undefined;
  }

  /** Writes a kubeconfig file that leads here. @returns its path */
  kubeconfig(name = 'kubeconfig'): string {
    const file = path.join(this.folder, name);
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const config = {
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { token: TOKEN } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  async stop(): Promise<void> {
    // Also those that became WebSockets, which the server forgets.
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true });
  }
}

/** An answer in which the API server says why not. */
export function statusOf(code: number, reason: string, message: string): WholeAnswer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message } };
}

async function read(request: IncomingMessage) {
  const body = await text(request);
  return { ...headersOf(request), body: body === '' ? undefined : JSON.parse(body) };
}

function headersOf({ headers }: IncomingMessage) {
  return { type: headers['content-type'], authorization: headers.authorization };
}

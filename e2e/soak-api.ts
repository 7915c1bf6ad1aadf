import { randomInt } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { stringify } from 'yaml';

/** A label that was set, in the order in which that happened. */
export interface Written {
  readonly pod: string;
  readonly label: string;
  readonly value: string;
}

/** In a hundred requests so many are answered otherwise than well. */
const BUSY = 3;
const THROTTLED = 2;
const CONFLICT = 2;
/** The label is set, and then the connection breaks: nobody is told. */
const UNTOLD = 1;

/** Bytes that each container has logged. */
const LOGGED = 50_000;
/** What an exec is spoken in. */
const EXEC = 'v4.channel.k8s.io';
/** The first byte of each frame of it. */
const STDOUT = Buffer.of(1);
const STATUS = Buffer.of(3);

/**
 * In the place of an API server: it knows every pod, its log and what comes of any command in it, notes the labels that are set, and
 * fails at random.
 */
export class SoakApi {
  readonly written: Written[] = [];
  /** Labels that were set without an answer. */
  readonly untold: Written[] = [];
  /** While true every connection is broken off. */
  isDown = false;
  /** Whether it fails at random. */
  isMoody = true;
  #requests = 0;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => request.socket.destroy());
  });

  readonly #execs = new WebSocketServer({ noServer: true, handleProtocols: () => EXEC });

  constructor() {
    this.#server.on('upgrade', (request, socket, head) => {
      this.#requests += 1;
      this.#execs.handleUpgrade(request, socket, head, (accepted) => {
        accepted.send(Buffer.concat([STDOUT, Buffer.from('uid=0(root)\n')]));
        accepted.send(Buffer.concat([STATUS, Buffer.from(JSON.stringify({ metadata: {}, status: 'Success' }))]));
        accepted.close();
      });
    });
  }

  get requests(): number {
    return this.#requests;
  }

  /** Begins to listen. Returns the kubeconfig that leads here. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return stringify({
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: { token: 'soak' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    this.#requests += 1;
    if (this.isDown) return void request.socket.destroy();
    const mood = this.isMoody ? randomInt(100) : 100;
    const { pathname } = new URL(request.url ?? '', 'http://soak');
    const pod = pathname.split('/')[6] ?? '';
    if (mood < BUSY) return refuse(response, 500, 'InternalError');
    if (mood < BUSY + THROTTLED) return refuse(response, 429, 'TooManyRequests', '1');
    if (mood < BUSY + THROTTLED + CONFLICT) return refuse(response, 409, 'Conflict');
    const isUntold = mood < BUSY + THROTTLED + CONFLICT + UNTOLD;
    for (const written of writtenBy(pod, body)) {
      this.written.push(written);
      if (isUntold) this.untold.push(written);
    }
    if (isUntold) return void request.socket.destroy();
    if (pathname.endsWith('/log')) return void response.end(`${pod} `.padEnd(LOGGED, '.'));
    response.writeHead(200, { 'content-type': 'application/json' });
    const metadata = { name: pod, namespace: 'soak', uid: pod };
    response.end(JSON.stringify({ kind: 'Pod', apiVersion: 'v1', metadata, spec: { containers: [{ name: 'main' }] } }));
  }
}

function writtenBy(pod: string, body: string): Written[] {
  if (body === '') return [];
  const { metadata } = JSON.parse(body) as { metadata?: { labels?: Record<string, string> } };
  return Object.entries(metadata?.labels ?? {}).map(([label, value]) => ({ pod, label, value }));
}

function refuse(response: ServerResponse, code: number, reason: string, retryAfter?: string): void {
  response.writeHead(code, {
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason }));
}

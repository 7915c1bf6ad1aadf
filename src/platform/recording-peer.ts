import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

/** A request that came in. */
export interface SeenRequest {
  /** Method and path with query. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of it. */
  readonly body: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type PeerReply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'silence'
  | 'hang up'
  /** 200, and a body of blanks that does not end. */
  | 'no end';

const KEPT = 64 * 1024;

/** For tests: a real HTTP server in the place of what an adapter talks to, which notes requests and answers as it was told. */
export class RecordingPeer {
  readonly seen: SeenRequest[] = [];
  #reply: (request: SeenRequest) => PeerReply = () => ({ status: 404 });
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const seen = await read(request).catch(() => undefined);
      if (!seen) return;
      this.seen.push(seen);
      const reply = this.#reply(seen);
      if (reply === 'silence') return;
      if (reply === 'hang up') return void request.socket.destroy();
      if (reply === 'no end') return void Readable.from(blanks()).pipe(response);
      response.writeHead(reply.status, reply.headers);
      response.end(reply.body ?? '');
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** How requests are answered from now on; what was seen is forgotten. */
  reply(how: (request: SeenRequest) => PeerReply): void {
    this.#reply = how;
    this.seen.length = 0;
  }

  /** How requests are answered now. */
  get replying(): (request: SeenRequest) => PeerReply {
    return this.#reply;
  }

  /** The lines of what came in. */
  get lines(): readonly string[] {
    return this.seen.map(({ line }) => line);
  }
}

async function* blanks(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(KEPT, ' ');
}

async function read(request: IncomingMessage): Promise<SeenRequest> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes < KEPT) kept.push(chunk);
    bytes += chunk.length;
    hash.update(chunk);
  }
  const { method, url, headers } = request;
  const body = Buffer.concat(kept).toString('utf8');
  return { line: `${method} ${url}`, headers, body, bytes, sha256: hash.digest('hex') };
}

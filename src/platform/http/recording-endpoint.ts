import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** A request that came in. */
export interface SeenRequest {
  /** Method and path. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> };

/** For tests: a real HTTP server that notes requests and answers as it was told. */
export class RecordingEndpoint {
  readonly seen: SeenRequest[] = [];
  /** What is answered, by method and path; to all others 200. */
  readonly answers = new Map<string, Answer | ((response: ServerResponse) => void)>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const line = `${request.method} ${request.url}`;
      this.seen.push({ line, headers: request.headers, body: await text(request) });
      const answer = this.answers.get(line) ?? { status: 200, body: 'ok' };
      if (typeof answer === 'function') return void answer(response);
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens on a free port of 127.0.0.1 while the tests of a file run; forgets everything before each. */
  use(): this {
    beforeAll(() => new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve)));
    beforeEach(() => {
      this.seen.length = 0;
      this.answers.clear();
    });
    afterAll(() => {
      this.#server.closeAllConnections();
      return new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    });
    return this;
  }
}

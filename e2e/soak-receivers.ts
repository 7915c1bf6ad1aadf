import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Where rules and settings lead to, all on one server, told apart by the first part of the path. */
const KINDS = ['slack', 'loki', 'webhook', 'call', 'store'] as const;
type Kind = (typeof KINDS)[number];

/** Bytes of the answers to calls, which are kept as artifacts: what was sent, and more. */
const ANSWER = 20_000;

/**
 * In the place of those that are told, called and stored in: it takes everything and counts it.
 */
export class SoakReceivers {
  readonly counts: Record<Kind, number> = { slack: 0, loki: 0, webhook: 0, call: 0, store: 0 };
  /** Trace ids that the webhook was told of, and took. */
  readonly told = new Set<string>();
  /** While true everything but calls is answered with 503. */
  isDown = false;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => request.socket.destroy());
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `host:port`, as the client of MinIO is configured. */
  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Settings that lead here. */
  get settings() {
    const notifiers = {
      slack: { webhook_url: `http://${this.endpoint}/slack` },
      loki: { url: `http://${this.endpoint}` },
      webhook: { url: `http://${this.endpoint}/webhook` },
    };
    return {
      notifiers,
      default_notifiers: Object.keys(notifiers),
      minio: { endpoint: this.endpoint, access_key: 'soak', secret_key: 'soak-secret' },
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const [, first = ''] = (request.url ?? '').split(/[/?]/);
    const kind = KINDS.find((known) => known === first) ?? 'store';
    this.counts[kind] += 1;
    if (kind !== 'call' && this.isDown) return void response.writeHead(503).end();
    if (kind === 'webhook') this.told.add((JSON.parse(body) as { readonly trace_id: string }).trace_id);
    if (kind !== 'call') return void response.writeHead(200, { etag: '"soak"' }).end('ok');
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`${body} `.padEnd(ANSWER, '.'));
  }
}

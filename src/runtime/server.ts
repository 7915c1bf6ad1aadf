import { METHODS } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Refusal, Telemetry } from '../model/transition.ts';
import type { Intake } from './intake.ts';

export interface ServerLimits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  readonly connections: number;
}

export interface ServerOptions {
  readonly intake: Pick<Intake, 'receive'>;
  readonly limits: ServerLimits;
  readonly telemetry: Telemetry;
  /** The text of the metrics page and its content type. */
  readonly metrics: { readonly contentType: string; readonly page: () => Promise<string> };
  /** Whether alerts are wanted: false once the server is about to end. */
  readonly isReady: () => boolean;
}

/** Milliseconds for the head of a request, and for all of it. Falco Talon has the same. */
const REQUEST_TIMEOUT = 2_000;
const TIMEOUT_CHECK_INTERVAL = 250;
/** Milliseconds in which a sender reads nothing of its answer, before the connection is cut; Node may give it twice as long. */
const STALL_TIMEOUT = 3_000;
/** Milliseconds that an idle connection is kept: longer than proxies in front keep theirs. */
const KEEP_ALIVE = 72_000;
/** Bytes of the head of a request; paths may be long. */
const HEAD_BYTES = 65_536;

/** Every other path takes alerts. */
const RESERVED = ['/healthz', '/readyz', '/metrics'];
const ALERTS = '/';

const BODY_TYPE = 'application/octet-stream';
const TEXT = 'text/plain; charset=utf-8';
const REFUSALS: Record<Refusal | 'fault', { readonly status: number; readonly text: string }> = {
  method: { status: 400, text: 'Please send with POST http method\n' },
  body: { status: 400, text: 'Please send a valid request body\n' },
  malformed_request: { status: 400, text: 'Please send a valid HTTP request\n' },
  timeout: { status: 408, text: 'The request took too long to arrive\n' },
  too_large: { status: 413, text: 'The request body is larger than the limit\n' },
  unauthorized: { status: 401, text: 'Unauthorized\n' },
  not_found: { status: 404, text: 'Not Found\n' },
  rate: { status: 429, text: 'Too many requests of this sender, please slow down\n' },
  fault: { status: 500, text: 'Internal Server Error\n' },
  not_stored: { status: 503, text: 'The event could not be stored, please try again\n' },
  full: { status: 503, text: 'Too many events are being handled, please try again\n' },
};

/** The HTTP side of the server. Routes, codes and bodies are those of Falco Talon. */
export class Server {
  readonly #app: FastifyInstance;

  constructor(options: ServerOptions) {
    this.#app = createApp(options);
  }

  /** Begins to listen. @returns the port @throws the system's error when the address is taken or not ours */
  async listen(host: string, port: number): Promise<number> {
    await this.#app.listen({ host, port });
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** Takes no more connections, lets running requests end and closes idle connections. */
  async close(): Promise<void> {
    await this.#app.close();
  }
}

function createApp(options: ServerOptions): FastifyInstance {
  const { limits, telemetry } = options;
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: STALL_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE,
    exposeHeadRoutes: false,
    // Requests on open connections are served until the end, instead of a 503 of the framework's own shape.
    return503OnClosing: false,
    http: {
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL,
      maxHeaderSize: HEAD_BYTES,
    },
    // The router sees none of the paths that senders make up, and the framework no content type but one: it would refuse some,
    // and look for the parser of any other anew with each request.
    rewriteUrl: (request) => {
      request.headers['content-type'] = BODY_TYPE;
      return routeOf(request.url ?? ALERTS);
    },
    clientErrorHandler: (error, socket) => refuseConnection(error.code ?? '', socket, telemetry),
  });
  app.server.maxConnections = limits.connections;
  // Node hands these over apart from all others, and hangs up where nobody takes them.
  app.server.on('connect', (_request, socket: Socket) => refuseConnection('HPE_INVALID_METHOD', socket, telemetry));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPE, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: { statusCode?: number; message?: string }, request, reply) => {
    // The connection is gone: `refuseConnection` has said why, or nobody is there to be told.
    if (request.raw.readableAborted) reply.hijack();
    else if (error.statusCode === 413) refuse(reply, 'too_large', telemetry);
    else if (error.statusCode && error.statusCode < 500) refuse(reply, 'malformed_request', telemetry);
    else {
      telemetry.emit({ kind: 'fault', error: error.message ?? String(error) });
      sendRefusal(reply, 'fault');
    }
  });
  addRoutes(app, options);
  return app;
}

function addRoutes(app: FastifyInstance, { intake, telemetry, metrics, isReady }: ServerOptions): void {
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  const others = app.supportedMethods.filter((method) => method !== 'POST');
  app.post(ALERTS, (request, reply) => {
    const answer = intake.receive(request.body as Buffer, request.headers.traceparent);
    if (answer === 200) reply.code(200).send();
    else sendRefusal(reply, answer === 400 ? 'body' : 'full');
  });
  addEarlyRoute(app, others, ALERTS, (reply) => refuse(reply, 'method', telemetry));
  addEarlyRoute(app, app.supportedMethods, '/healthz', (reply) => {
    sendStatus(reply, 200, 'ok');
  });
  addEarlyRoute(app, app.supportedMethods, '/readyz', (reply) => {
    const ready = isReady();
    sendStatus(reply, ready ? 200 : 503, ready ? 'ok' : 'shutting down');
  });
  addEarlyRoute(app, app.supportedMethods, '/metrics', async (reply) => {
    const page = await metrics.page();
    reply.type(metrics.contentType).send(page);
  });
}

/** A route that answers before the body of the request is read: nobody looks at it. */
function addEarlyRoute(
  app: FastifyInstance,
  methods: readonly string[],
  url: string,
  answer: (reply: FastifyReply) => void | Promise<void>,
): void {
  app.route({
    method: [...methods],
    url,
    onRequest: async (_request: FastifyRequest, reply: FastifyReply) => {
      await answer(reply);
      return reply;
    },
    handler: () => undefined,
  });
}

/** As bytes, because the framework would add a charset to the type of a text. */
function sendStatus(reply: FastifyReply, code: number, status: string): void {
  reply
    .code(code)
    .header('Content-Type', 'application/json')
    .send(Buffer.from(`{"status": "${status}"}`));
}

function routeOf(url: string): string {
  if (url === ALERTS) return ALERTS;
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return RESERVED.includes(path) ? path : ALERTS;
}

function refuse(reply: FastifyReply, reason: Refusal, telemetry: Telemetry): void {
  telemetry.emit({ kind: 'refused', reason });
  sendRefusal(reply, reason);
}

function sendRefusal(reply: FastifyReply, reason: keyof typeof REFUSALS): void {
  const { status, text } = REFUSALS[reason];
  // The framework closes the connection after an error, and so a sender that is still sending would never see the answer.
  // Node reads the rest of the body and drops it, until the time for the request is over.
  reply.removeHeader('connection');
  if (status === 503) reply.header('Retry-After', '1');
  reply.code(status).type(TEXT).header('X-Content-Type-Options', 'nosniff').send(text);
}

/** Requests that Node could not read: no request object exists, so the answer is written by hand. */
function refuseConnection(code: string, socket: Socket, telemetry: Telemetry): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const reason = connectionRefusal(code);
  telemetry.emit({ kind: 'refused', reason });
  const { status, text } = code === 'HPE_HEADER_OVERFLOW' ? HEAD_TOO_LARGE : REFUSALS[reason];
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}\r\nContent-Type: ${TEXT}\r\nX-Content-Type-Options: nosniff\r\n` +
      `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
  );
}

const HEAD_TOO_LARGE = { status: 431, text: 'The head of the request is larger than the limit\n' };
const STATUS_TEXT: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function connectionRefusal(code: string): 'timeout' | 'method' | 'malformed_request' {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timeout';
  return code === 'HPE_INVALID_METHOD' ? 'method' : 'malformed_request';
}

import { METHODS } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Telemetry } from '../model/transition.ts';
import { BodyBudget } from './entrance/body-budget.ts';
import { Certificates } from './entrance/certificates.ts';
import { Credentials } from './entrance/credentials.ts';
import type { EntranceSettings } from './entrance/entrance-settings.ts';
import { createGate, type Gate, openGate, ROUTES } from './entrance/gate.ts';
import { createListener, type ListenerTimes } from './entrance/http-listener.ts';
import { Refusals } from './entrance/refusals.ts';
import type { Health } from './health.ts';
import type { Intake } from './intake.ts';

export interface ServerLimits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  readonly connections: number;
  /** Tests have less time. */
  readonly times?: ListenerTimes;
  /** Milliseconds between two looks at the files of certificates; tests cannot wait for long. */
  readonly certificateInterval?: number;
}

export interface ServerOptions {
  readonly intake: Pick<Intake, 'receive'>;
  readonly limits: ServerLimits;
  readonly telemetry: Telemetry;
  /** The text of the metrics page and its content type. */
  readonly metrics: { readonly contentType: string; readonly page: () => Promise<string> };
  readonly health: Pick<Health, 'status' | 'degrade'>;
  readonly entrance: EntranceSettings;
}

/** Milliseconds between two looks at the files of certificates. */
const CERTIFICATE_INTERVAL = 30_000;

const BODY_TYPE = 'application/octet-stream';

/** The HTTP side of the server. Routes, codes and bodies are those of Falco Talon. */
export class Server {
  readonly #alerts: FastifyInstance;
  /** For metrics and health, if they have a port of their own. */
  readonly #own: FastifyInstance | undefined;
  readonly #entrance: EntranceSettings;
  readonly #certificates: Certificates | undefined;
  readonly #certificateInterval: number;

  constructor(options: ServerOptions) {
    const { entrance, health } = options;
    const credentials = new Credentials(entrance.bearerTokens, entrance.basicUsers);
    const refusals = new Refusals(options.telemetry, credentials.challenge);
    this.#entrance = entrance;
    this.#certificateInterval = options.limits.certificateInterval ?? CERTIFICATE_INTERVAL;
    this.#alerts = createApp(options, refusals, createGate(entrance, credentials), entrance.tls);
    addAlertRoutes(this.#alerts, options, refusals);
    if (entrance.ownPort) this.#own = createApp(options, refusals, openGate);
    addStatusRoutes(this.#own ?? this.#alerts, options);
    if (entrance.tls) this.#certificates = new Certificates(entrance.tls, this.#alerts.server as TlsServer, health);
  }

  /**
   * Begins to listen: on the port for metrics and health first, if there is one.
   *
   * @returns the port for alerts
   * @throws the system's error, with `address` and `port`, when an address is taken or not ours
   * @throws TalonError('config') when a certificate cannot be used
   */
  async listen(host: string, port: number): Promise<number> {
    await this.#certificates?.load();
    if (this.#entrance.ownPort) await this.#own?.listen(this.#entrance.ownPort);
    await this.#alerts.listen({ host, port });
    this.#certificates?.watch(this.#certificateInterval);
    return (this.#alerts.server.address() as AddressInfo).port;
  }

  /** The port for metrics and health, while the server listens, if they have one of their own. */
  get ownPort(): number | undefined {
    return (this.#own?.server.address() as AddressInfo | null | undefined)?.port;
  }

  /** Takes no more connections, lets running requests end and closes idle connections. Metrics and health go last. */
  async close(): Promise<void> {
    this.#certificates?.end();
    await closeApp(this.#alerts);
    if (this.#own) await closeApp(this.#own);
  }
}

async function closeApp(app: FastifyInstance): Promise<void> {
  // Connections whose last answer is still to come are closed after it, instead of being kept for another request.
  app.server.keepAliveTimeout = 1;
  await app.close();
}

function createApp(
  { limits, telemetry }: ServerOptions,
  refusals: Refusals,
  gate: Gate,
  tls?: EntranceSettings['tls'],
): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    exposeHeadRoutes: false,
    // Requests on open connections are served until the end, instead of a 503 of the framework's own shape.
    return503OnClosing: false,
    serverFactory: (handler) =>
      createListener(handler, {
        connections: limits.connections,
        times: limits.times,
        tls: tls && { clients: tls.clientCaFile !== undefined },
        onUnreadable: (code, socket) => refusals.refuseConnection(code, socket),
      }),
    // The router sees none of the paths that senders make up, and the framework no content type but one: it would refuse some,
    // and look for the parser of any other anew with each request.
    rewriteUrl: (request) => {
      request.headers['content-type'] = BODY_TYPE;
      return gate(request);
    },
    clientErrorHandler: (error, socket) => refusals.refuseConnection(error.code ?? '', socket),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BODY_TYPE, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: { statusCode?: number; message?: string }, request, reply) => {
    // The connection is gone: `refuseConnection` has said why, or nobody is there to be told.
    if (request.raw.readableAborted) reply.hijack();
    else if (error.statusCode === 413) refusals.refuse(reply, 'too_large');
    else if (error.statusCode && error.statusCode < 500) refusals.refuse(reply, 'malformed_request');
    else {
      telemetry.emit({ kind: 'fault', error: error.message ?? String(error) });
      refusals.send(reply, 'fault');
    }
  });
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  addEarlyRoute(app, ROUTES.notFound, (reply) => refusals.turnAway(reply, 'not_found'));
  return app;
}

function addAlertRoutes(app: FastifyInstance, { intake, limits }: ServerOptions, refusals: Refusals): void {
  const budget = new BodyBudget(limits.bodyBytes);
  app.route({
    method: 'POST',
    url: ROUTES.alerts,
    onRequest: (request, reply, next) => {
      if (budget.admit(request.raw, reply.raw)) next();
      else refusals.refuse(reply, 'full');
    },
    handler: (request, reply) => {
      intake.receive(request.body as Buffer, request.headers.traceparent, (status, refusal) => {
        if (status === 200) reply.code(200).send();
        else refusals.send(reply, refusal ?? (status === 400 ? 'body' : 'full'));
      });
    },
  });
  const others = app.supportedMethods.filter((method) => method !== 'POST');
  addEarlyRoute(app, ROUTES.alerts, (reply) => refusals.refuse(reply, 'method'), others);
  addEarlyRoute(app, ROUTES.unauthorized, (reply) => refusals.turnAway(reply, 'unauthorized'));
  addEarlyRoute(app, ROUTES.rate, (reply) => refusals.turnAway(reply, 'rate'));
}

function addStatusRoutes(app: FastifyInstance, { health, metrics }: ServerOptions): void {
  addEarlyRoute(app, ROUTES.health, (reply) => sendStatus(reply, 200, 'ok'));
  addEarlyRoute(app, ROUTES.readiness, (reply) => {
    const { ready, text, degraded } = health.status();
    sendStatus(reply, ready ? 200 : 503, text, degraded);
  });
  addEarlyRoute(app, ROUTES.metrics, async (reply) => {
    const page = await metrics.page();
    reply.type(metrics.contentType).send(page);
  });
}

/** A route that answers before the body of the request is read: nobody looks at it. */
function addEarlyRoute(
  app: FastifyInstance,
  url: string,
  answer: (reply: FastifyReply) => void | Promise<void>,
  methods: readonly string[] = app.supportedMethods,
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

/** As bytes, because the framework would add a charset to the type of a text. Spaces are where Falco Talon has them. */
function sendStatus(reply: FastifyReply, code: number, status: string, degraded: readonly string[] = []): void {
  const more = degraded.length > 0 ? `, "degraded": ${JSON.stringify(degraded)}` : '';
  reply
    .code(code)
    .header('Content-Type', 'application/json')
    .send(Buffer.from(`{"status": ${JSON.stringify(status)}${more}}`));
}

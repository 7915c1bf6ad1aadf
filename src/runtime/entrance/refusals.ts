import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { FastifyReply } from 'fastify';
import type { Refusal, Telemetry } from '../../model/transition.ts';
import { pendingResponse } from './pending-response.ts';
import { type GateReason, TurnedAway } from './turned-away.ts';

const TEXT = 'text/plain; charset=utf-8';
const ANSWERS: Record<Refusal | 'fault', { readonly status: number; readonly text: string }> = {
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
const HEAD_TOO_LARGE = { status: 431, text: 'The head of the request is larger than the limit\n' };
const STATUS_TEXT: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Codes of Node: of its HTTP parser, and of what OpenSSL says. */
const PARSER_ERRORS = 'HPE_';
const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';
const TLS_ERRORS = 'ERR_SSL_';

/** Milliseconds in which a sender may read the answer that ends its connection, whatever it goes on to send. */
const LINGER = 1_000;

/** Answers that say no. */
export class Refusals {
  readonly #telemetry: Telemetry;
  readonly #challenge: string;
  readonly #turnedAway: TurnedAway;
  /** Connections that end after the answers to earlier requests. */
  readonly #doomed = new WeakSet<Socket>();

  /** @param challenge what `WWW-Authenticate` says to those who lack credentials */
  constructor(telemetry: Telemetry, challenge: string) {
    this.#telemetry = telemetry;
    this.#challenge = challenge;
    this.#turnedAway = new TurnedAway(telemetry, () => performance.now());
  }

  /** Counts the refusal and sends it. */
  refuse(reply: FastifyReply, reason: Refusal): void {
    this.#telemetry.emit({ kind: 'refused', reason });
    this.send(reply, reason);
  }

  /** Turns away a sender at the gate. */
  turnAway(reply: FastifyReply, reason: GateReason): void {
    if (reason === 'unauthorized') reply.header('WWW-Authenticate', this.#challenge);
    this.#turnedAway.note(reason, reply.request.socket.remoteAddress ?? '');
    this.refuse(reply, reason);
  }

  /** Sends a refusal that is counted already. */
  send(reply: FastifyReply, reason: keyof typeof ANSWERS): void {
    const { status, text } = ANSWERS[reason];
    // The framework closes the connection after an error, and so a sender that is still sending would never see the answer.
    // Node reads the rest of the body and drops it, until the time for the request is over.
    reply.removeHeader('connection');
    if (status === 503 || status === 429) reply.header('Retry-After', '1');
    reply.code(status).type(TEXT).header('X-Content-Type-Options', 'nosniff').send(text);
  }

  /** Refuses what Node could not read. No request object exists, so the answer is written by hand, and ends the connection. */
  refuseConnection(code: string, socket: Socket): void {
    if (code === REQUEST_TIMEOUT || code.startsWith(PARSER_ERRORS)) {
      this.#refuseUnreadable(code, socket);
      return;
    }
    // What is left are connections that broke, or that never came about. Nothing can be said there.
    if (socket instanceof TLSSocket) this.#countHandshake(code, socket);
    socket.destroy();
  }

  #refuseUnreadable(code: string, socket: Socket): void {
    // Whatever comes after it cannot be read either.
    if (this.#doomed.has(socket)) return;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    this.#doomed.add(socket);
    const reason = connectionRefusal(code);
    this.#telemetry.emit({ kind: 'refused', reason });
    const { status, text } = code === 'HPE_HEADER_OVERFLOW' ? HEAD_TOO_LARGE : ANSWERS[reason];
    const answer =
      `HTTP/1.1 ${status} ${STATUS_TEXT[status]}\r\nContent-Type: ${TEXT}\r\nX-Content-Type-Options: nosniff\r\n` +
      `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
    afterAnswers(socket, () => {
      socket.end(answer);
      // Closing at once would take the answer away from who is still sending.
      setTimeout(() => socket.destroy(), LINGER).unref();
    });
  }

  #countHandshake(code: string, socket: TLSSocket): void {
    if (socket.authorizationError || code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
      this.#turnedAway.note('unauthorized', socket.remoteAddress ?? '');
      this.#telemetry.emit({ kind: 'refused', reason: 'unauthorized' });
    } else if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
      this.#telemetry.emit({ kind: 'refused', reason: 'timeout' });
    } else if (code.startsWith(TLS_ERRORS)) {
      this.#telemetry.emit({ kind: 'refused', reason: 'malformed_request' });
    }
  }
}

/** Calls back when all earlier requests of the connection are answered: senders tell answers apart by their order alone. */
function afterAnswers(socket: Socket, then: () => void): void {
  const pending = pendingResponse(socket);
  if (pending?.req.complete) pending.once('finish', () => afterAnswers(socket, then));
  // Of the request that cannot be read; it may have been answered by its head alone.
  else if (pending?.headersSent) socket.destroy();
  else then();
}

function connectionRefusal(code: string): 'timeout' | 'method' | 'malformed_request' {
  if (code === REQUEST_TIMEOUT) return 'timeout';
  return code === 'HPE_INVALID_METHOD' ? 'method' : 'malformed_request';
}

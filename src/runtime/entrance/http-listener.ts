import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { pendingResponse } from './pending-response.ts';

/** Milliseconds that a sender is given. */
export interface ListenerTimes {
  /** For the head of a request, and for all of it. Falco Talon has the same. */
  readonly request: number;
  /** Between two looks for those who are late. */
  readonly check: number;
  /** For the handshake of a TLS connection. */
  readonly handshake: number;
  /** In which it reads nothing of its answer, before the connection is cut; Node may give it twice as long. */
  readonly stall: number;
  /** For an idle connection: longer than proxies in front keep theirs. */
  readonly keepAlive: number;
}

const TIMES: ListenerTimes = { request: 2_000, check: 250, handshake: 5_000, stall: 3_000, keepAlive: 72_000 };
/** Bytes of the head of a request; paths may be long. */
const HEAD_BYTES = 65_536;

export interface ListenerOptions {
  /** Connections at once. */
  readonly connections: number;
  /** Those of production if not given. */
  readonly times?: ListenerTimes | undefined;
  /** With `clients`, only those get a connection who show a certificate. The certificates come later, by `setSecureContext`. */
  readonly tls?: { readonly clients: boolean } | undefined;
  /** Takes what is no readable request, or no TLS. */
  readonly onUnreadable: (code: string, socket: Socket) => void;
}

/** Node's server with limits on all that a sender may do slowly, or much of. */
export function createListener(
  handler: RequestListener,
  { connections, times = TIMES, tls, onUnreadable }: ListenerOptions,
): Server {
  const options = {
    requestTimeout: times.request,
    headersTimeout: times.request,
    connectionsCheckingInterval: times.check,
    keepAliveTimeout: times.keepAlive,
    maxHeaderSize: HEAD_BYTES,
    // Not even when Node is started with the flag for it.
    insecureHTTPParser: false,
  };
  const server = tls
    ? createTlsServer(
        { ...options, handshakeTimeout: times.handshake, requestCert: tls.clients, rejectUnauthorized: tls.clients },
        handler,
      )
    : createServer(options, handler);
  server.maxConnections = connections;
  // Senders that close their side after the request get their answer: it may have to wait for the disk.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.setTimeout(times.stall, cutStalled);
  // Node hands these over apart from all others, and hangs up where nobody takes them.
  server.on('connect', (_request, socket: Socket) => onUnreadable('HPE_INVALID_METHOD', socket));
  return server;
}

/**
 * Cuts connections on which nothing moves, idle ones included, but not those of senders that wait for our answer: their
 * request is complete, and there is nothing that they do not read.
 */
function cutStalled(socket: Socket): void {
  const waitsForUs = pendingResponse(socket)?.req.complete && socket.writableLength === 0;
  if (!waitsForUs) socket.destroy();
}

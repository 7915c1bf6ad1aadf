import type { IncomingMessage } from 'node:http';
import type { Credentials } from './credentials.ts';
import { Secrets } from './credentials.ts';
import type { EntranceSettings } from './entrance-settings.ts';
import { RateLimit } from './rate-limit.ts';

/** The routes that the server has. Requests come to them only through the gate, whatever their own path. */
export const ROUTES = {
  alerts: '/',
  health: '/healthz',
  readiness: '/readyz',
  metrics: '/metrics',
  unauthorized: '/refused/unauthorized',
  notFound: '/refused/not_found',
  rate: '/refused/rate',
} as const;

export type Route = (typeof ROUTES)[keyof typeof ROUTES];

/** Finds the route of a request by its head alone: what is turned away is so before its body is read. */
export type Gate = (request: IncomingMessage) => Route;

/**
 * The gate of the port that takes alerts. Every path takes them, as in Falco Talon, but for those of metrics and health,
 * unless those have a port of their own, and but for the secret ones, if there are any.
 */
export function createGate(settings: EntranceSettings, credentials: Credentials): Gate {
  const secretPaths = settings.secretPaths.length > 0 ? new Secrets(settings.secretPaths) : undefined;
  const rate = settings.ratePerSecond > 0 ? new RateLimit(settings.ratePerSecond, () => performance.now()) : undefined;
  const reserved = settings.ownPort ? () => undefined : reservedRoute;
  if (!secretPaths && !rate && !credentials.wanted) {
    return ({ url }) => (url === '/' ? ROUTES.alerts : (reserved(pathOf(url)) ?? ROUTES.alerts));
  }
  return (request) => {
    const path = pathOf(request.url);
    const route = reserved(path);
    if (route === ROUTES.health || route === ROUTES.readiness) return route;
    if (rate && !rate.take(request.socket.remoteAddress ?? '')) return ROUTES.rate;
    if (!route && secretPaths && !secretPaths.has(path)) return ROUTES.notFound;
    if (!credentials.accept(request.headers.authorization)) return ROUTES.unauthorized;
    return route ?? ROUTES.alerts;
  };
}

/** The gate of a port that has metrics and health alone, and asks nobody who they are. */
export const openGate: Gate = ({ url }) => reservedRoute(pathOf(url)) ?? ROUTES.notFound;

function reservedRoute(path: string): Route | undefined {
  switch (path) {
    case ROUTES.health:
    case ROUTES.readiness:
    case ROUTES.metrics:
      return path;
    default:
      return undefined;
  }
}

/** The path without the query; without scheme and host too, where a proxy left them in (RFC 9112 §3.2.2). */
function pathOf(url = ''): string {
  const origin = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const query = origin.indexOf('?');
  return (query < 0 ? origin : origin.slice(0, query)) || '/';
}

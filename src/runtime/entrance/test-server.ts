import { decodeEvent } from '../../model/decode-event.ts';
import type { Refusal, Transition } from '../../model/transition.ts';
import type { HealthStatus } from '../health.ts';
import type { Answer } from '../intake.ts';
import { Server, type ServerLimits } from '../server.ts';
import type { EntranceSettings } from './entrance-settings.ts';
import type { ListenerTimes } from './http-listener.ts';

/** An entrance with everything off, as by default. */
export const OPEN: EntranceSettings = { bearerTokens: [], basicUsers: [], secretPaths: [], ratePerSecond: 0 };

/** Largest body that the servers of tests take, in bytes. */
export const BODY_LIMIT = 1 << 20;

/** Times for tests that wait for their end. */
export const QUICK: ListenerTimes = { request: 1_000, check: 100, handshake: 1_000, stall: 1_500, keepAlive: 72_000 };

/** Times that are never over, however busy the machine is. */
const PATIENT: ListenerTimes = { request: 60_000, check: 100, handshake: 60_000, stall: 60_000, keepAlive: 72_000 };

/** What an intake of a test was handed. */
export interface Received {
  readonly body: string;
  readonly traceparent: unknown;
}

type TestLimits = Omit<Partial<ServerLimits>, 'times'> & { readonly times?: ListenerTimes | 'production' };

/** A server as in production but for its patience, with a recording in place of all that is behind it. */
export class TestServer {
  readonly received: Received[] = [];
  readonly transitions: Transition[] = [];
  readonly degraded = new Map<string, string>();
  readonly server: Server;
  status: HealthStatus = { ready: true, text: 'ok', degraded: [] };
  page: () => Promise<string> = async () => 'page 1\n';
  /** Answers an alert; tests may do so otherwise, and later. */
  answer: (body: Buffer, answer: Answer) => void = (body, answer) => answer(decodeEvent(body).ok ? 200 : 400);

  constructor(entrance: Partial<EntranceSettings> = {}, { times = PATIENT, ...limits }: TestLimits = {}) {
    this.server = new Server({
      intake: {
        receive: (body, traceparent, answer) => {
          this.received.push({ body: body.toString(), traceparent });
          this.answer(body, answer);
        },
      },
      limits: { bodyBytes: BODY_LIMIT, connections: 64, ...limits, ...(times !== 'production' && { times }) },
      telemetry: { emit: (transition) => this.transitions.push(transition), accepted: () => undefined },
      metrics: { contentType: 'text/plain; version=0.0.4', page: () => this.page() },
      health: {
        status: () => this.status,
        degrade: (part, reason) => this.degraded.set(part, reason),
      },
      entrance: { ...OPEN, ...entrance },
    });
  }

  /** Reasons of refused requests, in order. */
  get refused(): readonly Refusal[] {
    return this.transitions.flatMap((transition) => (transition.kind === 'refused' ? [transition.reason] : []));
  }

  get faults(): readonly string[] {
    return this.transitions.flatMap((transition) => (transition.kind === 'fault' ? [transition.error] : []));
  }

  /** Begins to listen on a free port of the loopback address. @returns the port */
  listen(): Promise<number> {
    return this.server.listen('127.0.0.1', 0);
  }

  /** Forgets what came in so far. */
  forget(): void {
    this.received.length = 0;
    this.transitions.length = 0;
  }
}

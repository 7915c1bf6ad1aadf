import { STATUS_CODES } from 'node:http';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import type { HttpAnswer, HttpRequest, StatusRange } from '../../model/capability.ts';
import { isBusy } from '../../model/check-answer.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters, Found } from '../../model/door-row.ts';
import { visibleLine } from '../../model/notice-text.ts';
import { createRedactor, type Redact } from '../../model/redact.ts';
import type { EndpointTarget } from '../../model/targets.ts';
import { retryAfterMs } from '../retry-after.ts';
import { type AddressRule, checkUrl, createAddressRule } from './address-rule.ts';
import type { HttpDoorOptions, Proxies } from './http-door-options.ts';
import { readAnswer } from './read-answer.ts';
import { requestHeaders } from './request-headers.ts';
import { requestUrl } from './request-url.ts';

/** Milliseconds for a connection, for the head of an answer and between two parts of its body, unless the request says. */
const TIMEOUT = 10_000;
/** To one host. */
const CONNECTIONS = 16;
const MOST_REDIRECTS = 3;

/** What sends requests, and keeps the connections. */
export interface HttpClient {
  readonly send: Adapters['http.send'];
  /** Ends the connections. */
  readonly close: () => Promise<void>;
}

/** Opens no connection yet. */
export function openHttpClient(options: HttpDoorOptions): HttpClient {
  const rule = createAddressRule(options.ownPorts ?? [], options.resolve);
  const dispatcher = createDispatcher(rule, options.proxies ?? {});
  return {
    send: (...given) => send({ ...options, rule, dispatcher }, ...given),
    close: () => dispatcher.destroy(),
  };
}

function createDispatcher(rule: AddressRule, { http = '', https = '', none = '' }: Proxies): Dispatcher {
  const connect: buildConnector.connector = (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    try {
      rule.check(options.hostname, port);
    } catch (error) {
      callback(error as DoorError, null);
      return;
    }
    buildConnector({ timeout: TIMEOUT, lookup: rule.lookup(port) })(options, callback);
  };
  const agent = { connect, connections: CONNECTIONS };
  if (http === '' && https === '') return new Agent(agent);
  return new EnvHttpProxyAgent({ ...agent, httpProxy: http, httpsProxy: https, noProxy: none });
}

interface Means extends HttpDoorOptions {
  readonly rule: AddressRule;
  readonly dispatcher: Dispatcher;
}

async function send(
  means: Means,
  endpoint: EndpointTarget,
  wanted: HttpRequest,
  keep: boolean,
  signal: AbortSignal,
): Promise<Found<'http.send'>> {
  const url = requestUrl(endpoint.url, wanted.path);
  const headers = requestHeaders(endpoint, wanted.headers ?? {}, url, means.secretOf);
  const hide = hideLogin(url, headers);
  if (keep && !means.spool) throw new DoorError('refused', 'there is no spool for the answer');
  url.username = '';
  url.password = '';
  try {
    const answer = await exchange(means, url, { ...wanted, headers }, signal);
    const head = headOf(answer, hide);
    if (!isExpected(head.status, wanted.expected)) {
      await answer.body.dump();
      throw unexpected(endpoint, head);
    }
    const { body, artifact } = await readAnswer(answer, keep ? means.spool : undefined, wanted.wantedBytes);
    return { ...head, body: hide(body), artifact };
  } catch (error) {
    throw doorError(error, url.host);
  }
}

type Head = Pick<HttpAnswer, 'status' | 'statusLine' | 'retryAfterMs'>;

/** Takes out of answers what a rule has the request log in with: of the passwords in rules nobody else knows. */
function hideLogin({ password }: URL, { authorization = '' }: Readonly<Record<string, string>>): Redact {
  if (password === '') return (text) => text;
  const pair = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString('utf8');
  return createRedactor([pair, pair.slice(pair.indexOf(':') + 1), password]) ?? ((text) => text);
}

function headOf({ statusCode: status, statusText, headers }: Dispatcher.ResponseData, hide: Redact): Head {
  const reason = hide(visibleLine(statusText || STATUS_CODES[status] || ''));
  return { status, statusLine: `${status} ${reason}`.trim(), retryAfterMs: retryAfterMs(headers['retry-after']) };
}

function isExpected(status: number, ranges: readonly StatusRange[] | undefined): boolean {
  return ranges?.some(([least, most]) => least <= status && status <= most) ?? true;
}

function unexpected({ name }: EndpointTarget, { status, statusLine, retryAfterMs }: Head): DoorError {
  const text = `the endpoint '${name}' answered ${statusLine}`;
  return new DoorError(isBusy(status) ? 'busy' : 'refused', text, { retryAfterMs });
}

/** Sends the request, and once more to where the endpoint sends it on. */
async function exchange(
  { rule, dispatcher }: Means,
  url: URL,
  { method, headers, body, timeoutMs = TIMEOUT }: HttpRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let target = url;
  for (let redirects = 0; ; redirects += 1) {
    // A proxy would connect to it, and no connection of this process show it.
    checkUrl(rule, target);
    const answer = await request(target, {
      method: method as Dispatcher.HttpMethod,
      ...(headers && { headers }),
      body: body ?? null,
      ...{ signal, dispatcher, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    });
    const next = redirects < MOST_REDIRECTS ? redirectOf(answer, target) : undefined;
    if (!next) return answer;
    await answer.body.dump();
    target = next;
  }
}

function redirectOf({ statusCode, headers }: Dispatcher.ResponseData, from: URL): URL | undefined {
  const { location } = headers;
  if ((statusCode !== 307 && statusCode !== 308) || typeof location !== 'string') return undefined;
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  return to?.origin === from.origin ? to : undefined;
}

/** Errors say the host alone: the rest of a URL may be a secret. */
function doorError(error: unknown, host: string): DoorError {
  if (error instanceof DoorError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_INVALID_ARG') {
    return new DoorError('refused', `the request cannot be sent: ${message}`, { cause: error });
  }
  const unasked = NO_CONNECTION.has(code ?? '');
  return new DoorError('unreachable', `no answer from ${host}: ${reasonOf(error)}`, { cause: error, unasked });
}

/** No connection came about, so that nothing was sent. */
const NO_CONNECTION = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENETDOWN', 'EHOSTDOWN'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'it said nothing in time',
  UND_ERR_BODY_TIMEOUT: 'its answer did not end in time',
};

/** Errors of connections may have no message, but they have a code, or errors of their own. */
function reasonOf(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] };
  return TIMEOUTS[code ?? ''] ?? (message || errors?.map(reasonOf).join('; ') || code || String(error));
}

import { type HttpLibrary, type RequestContext, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { DoorError } from '../../model/door-error.ts';
import type { ApiPresence } from './api-presence.ts';
import { answerText, refusalText } from './bounded-body.ts';
import { KubeRefusal } from './kube-refusal.ts';

/**
 * Carries the requests of client-node, and turns every answer but a good one into a DoorError: `not-found` for an object
 * that the API server does not know, `refused` with its own words for what it will not do, `conflict` where somebody else
 * changed the object meanwhile, `busy` where another try may help, `unreachable` for no answer at all.
 *
 * @param presence is told when no answer came, and asked about refusals
 * @param signal gives up when aborted
 * @param patch media type of patches; other requests have their own
 */
export function kubeTransport(presence: ApiPresence, signal: AbortSignal, patch?: string): HttpLibrary {
  return wrapHttpLibrary({
    send: (context) => {
      if (patch !== undefined && context.getHttpMethod() === PATCH) context.setHeaderParam('Content-Type', patch);
      return exchange(context, presence, signal);
    },
  });
}

const PATCH = 'PATCH';

/** Sends a request that has its credentials, and reads its answer to the end. @throws DoorError as the transport does */
export async function exchange(
  context: RequestContext,
  presence: ApiPresence,
  signal: AbortSignal,
): Promise<ResponseContext> {
  const { statusCode, headers, body } = await openExchange(context, presence, { signal });
  const text = await answerText(body).catch(noAnswer);
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return new ResponseContext(statusCode, flat, {
    text: async () => text,
    binary: async () => Buffer.from(text),
    stream: () => null,
  });
}

interface ExchangeOptions {
  readonly signal: AbortSignal;
  /** Milliseconds without a byte of the body; what the connections say if it is left out. */
  readonly bodyTimeout?: number;
}

/** Sends a request that has its credentials. Resolves when a good answer begins. @throws DoorError as the transport does */
export async function openExchange(
  context: RequestContext,
  presence: ApiPresence,
  options: ExchangeOptions,
): Promise<Dispatcher.ResponseData> {
  const body = context.getBody();
  const dispatcher = context.getDispatcher();
  const answer = await request(context.getUrl(), {
    method: context.getHttpMethod(),
    headers: context.getHeaders(),
    body: body === undefined ? null : String(body),
    ...(dispatcher && { dispatcher }),
    ...options,
  }).catch((error: unknown) => {
    if (!options.signal.aborted) presence.lost();
    return noAnswer(error);
  });
  if (answer.statusCode >= 200 && answer.statusCode <= 299) return answer;
  const text = await refusalText(answer.body).catch(noAnswer);
  throw presence.judge(new KubeRefusal(answer.statusCode, text, answer.headers['retry-after']));
}

/** The error of a connection as a DoorError. */
export function noAnswer(error: unknown): never {
  throw new DoorError('unreachable', `no answer from the Kubernetes API: ${reasonOf(error)}`, { cause: error });
}

/** Errors of connections may have no message, but they have a code. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
}

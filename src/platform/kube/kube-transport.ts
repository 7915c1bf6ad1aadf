import { type HttpLibrary, type RequestContext, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node';
import { request } from 'undici';
import { DoorError } from '../../model/door-error.ts';

/** Characters of an error text that come from the other side. */
const LONGEST_REASON = 2000;

/**
 * Carries the requests of client-node, and turns every answer but a good one into a DoorError: `not-found` for an object
 * that the API server does not know, `refused` with its own words for what it will not do, `unreachable` for the rest.
 *
 * @param signal gives up when aborted
 */
export function kubeTransport(signal?: AbortSignal): HttpLibrary {
  return wrapHttpLibrary({ send: (context) => exchange(context, signal) });
}

async function exchange(context: RequestContext, signal: AbortSignal | undefined): Promise<ResponseContext> {
  const { status, headers, text } = await send(context, signal);
  if (status < 200 || status > 299) throw refusal(status, text);
  return new ResponseContext(status, headers, {
    text: async () => text,
    binary: async () => Buffer.from(text),
    stream: () => null,
  });
}

async function send(context: RequestContext, signal: AbortSignal | undefined) {
  const body = context.getBody();
  const dispatcher = context.getDispatcher();
  try {
    const answer = await request(context.getUrl(), {
      method: context.getHttpMethod(),
      headers: context.getHeaders(),
      body: body === undefined ? null : String(body),
      ...(dispatcher && { dispatcher }),
      ...(signal && { signal }),
    });
    const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    return { status: answer.statusCode, headers, text: await answer.body.text() };
  } catch (error) {
    throw new DoorError('unreachable', `no answer from the Kubernetes API: ${reasonOf(error)}`, { cause: error });
  }
}

/** Errors of connections may have no message, but they have a code. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
}

/** The answers that another try may change. */
const BUSY = new Set([408, 429]);

function refusal(status: number, text: string): DoorError {
  const answer = readStatus(text);
  const words = (answer?.message || text).trim().slice(0, LONGEST_REASON);
  if (status === 404 && answer?.reason === 'NotFound') return new DoorError('not-found', words);
  if (answer && status >= 400 && status < 500 && !BUSY.has(status)) return new DoorError('refused', words);
  const code = status < 500 && !BUSY.has(status) ? 'refused' : 'unreachable';
  return new DoorError(code, `the Kubernetes API answered ${status}${words && `: ${words}`}`);
}

interface Status {
  readonly kind: 'Status';
  readonly reason?: string;
  readonly message?: string;
}

/** The object in which the API server explains itself; a proxy before it answers with something else. */
function readStatus(text: string): Status | undefined {
  try {
    const answer = JSON.parse(text) as Partial<Status> | null;
    return answer?.kind === 'Status' ? (answer as Status) : undefined;
  } catch {
    return undefined;
  }
}

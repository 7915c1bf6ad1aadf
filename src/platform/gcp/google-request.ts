import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { DoorError } from '../../model/door-error.ts';
import { cutText, LONGEST_ANSWER } from '../cut-text.ts';
import { retryAfterMs } from '../retry-after.ts';

/** Characters of an error text that come from the other side. */
const LONGEST_REASON = 2000;

export interface GoogleRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
}

export interface GoogleAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  /** The beginning of it, if it is long. */
  readonly text: string;
}

/** Sends a request and waits for its answer, whatever that says. Follows no redirect. @throws DoorError for none */
export async function sendToGoogle(
  { method, url, headers = {}, body = '' }: GoogleRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<GoogleAnswer> {
  try {
    const answer = await request(url, { method, headers: { ...headers }, body: body || null, dispatcher, signal });
    return { status: answer.statusCode, headers: answer.headers, text: await readSome(answer.body) };
  } catch (error) {
    if (error instanceof DoorError) throw error;
    if (signal.aborted) throw new DoorError('deadline', 'given up before it was done', { cause: error });
    const { message, code } = error as NodeJS.ErrnoException;
    const reason = message || code || 'no answer';
    throw new DoorError('unreachable', `no answer from ${new URL(url).host}: ${reason}`, { cause: error });
  }
}

/** The same for one of Google's APIs: an answer that is not good is an error in its words. @throws DoorError */
export async function askGoogle(
  asked: GoogleRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<GoogleAnswer> {
  const answer = await sendToGoogle(asked, dispatcher, signal);
  if (answer.status >= 200 && answer.status <= 299) return answer;
  throw new GoogleRefusal(answer);
}

/** An answer of an API of Google that is not a good one. */
export class GoogleRefusal extends DoorError {
  /** HTTP status. */
  readonly status: number;

  constructor({ status, headers, text }: GoogleAnswer) {
    const busy = status === 429 || status === 408 || status >= 500;
    const wait = busy ? retryAfterMs(headers['retry-after']) : undefined;
    super(busy ? 'busy' : 'refused', `googleapi: Error ${status}: ${reasonOf(text)}`, { retryAfterMs: wait });
    this.status = status;
  }
}

interface ErrorBody {
  readonly error?: { readonly message?: unknown; readonly errors?: readonly { readonly reason?: unknown }[] };
}

function reasonOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    const reason = error?.errors?.[0]?.reason;
    if (typeof error?.message === 'string') {
      return `${error.message}${typeof reason === 'string' ? `, ${reason}` : ''}`.slice(0, LONGEST_REASON);
    }
  } catch {
    // Not from the API itself.
  }
  return text.trim().slice(0, LONGEST_REASON);
}

async function readSome(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LONGEST_ANSWER) break;
  }
  return cutText(Buffer.concat(chunks));
}

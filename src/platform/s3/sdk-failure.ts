import { DoorError } from '../../model/door-error.ts';
import { retryAfterMs } from '../retry-after.ts';

/** Characters of an error text that come from the other side. */
const LONGEST_REASON = 2000;

/** What services call their throttling, whatever the status. */
const THROTTLED = /throttl|toomanyrequests|slowdown|requestlimitexceeded|bandwidthlimit/i;

/** Errors of the AWS SDK, as far as they are read. */
interface SdkError extends Error {
  readonly code?: unknown;
  readonly retryAfterSeconds?: string | number;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

/**
 * What the AWS SDK threw as a DoorError, in its words: `refused` for what the service will not do and what cannot be asked,
 * `busy` where another try may help, `unreachable` for no answer, `deadline` when it was given up.
 */
export function sdkFailure(thrown: unknown, signal?: AbortSignal): DoorError {
  if (thrown instanceof DoorError) return thrown;
  const error = thrown as SdkError;
  if (signal?.aborted) return new DoorError('deadline', 'given up before it was done', { cause: thrown });
  const status = sdkStatus(thrown);
  const text = wordsOf(error, status);
  if (status === undefined)
    return new DoorError(isOfNetwork(error) ? 'unreachable' : 'refused', text, { cause: thrown });
  if (status !== 429 && status !== 408 && status < 500 && !THROTTLED.test(error.name)) {
    return new DoorError('refused', text, { cause: thrown });
  }
  const wait = retryAfterMs(error.$response?.headers?.['retry-after'] ?? String(error.retryAfterSeconds ?? ''));
  return new DoorError('busy', text, { cause: thrown, retryAfterMs: wait });
}

/** The status of the answer that an error is about, if there was one. */
export function sdkStatus(thrown: unknown): number | undefined {
  const { $metadata, $response } = thrown as SdkError;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** The first line: what follows it in errors about signatures repeats the request, with the session token. */
function wordsOf({ name, message, code }: SdkError, status: number | undefined): string {
  const unread = /^(SyntaxError|Error)$/.test(name) || message.includes('$response');
  if (status !== undefined && unread) return `an answer of status ${status} that cannot be read`;
  const [line = ''] = message.split('\n');
  const reason = line.trim() || (typeof code === 'string' ? code : '');
  const known = status !== undefined && reason === 'UnknownError' ? `status ${status}` : reason;
  return (name === 'Error' || name === known ? known : `${name}: ${known}`).slice(0, LONGEST_REASON);
}

function isOfNetwork({ name, code }: SdkError): boolean {
  if (name === 'TimeoutError') return true;
  return typeof code === 'string' && !code.startsWith('ERR_INVALID');
}

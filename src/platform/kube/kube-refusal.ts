import { DoorError } from '../../model/door-error.ts';
import type { FailureCode } from '../../model/outcome.ts';
import { retryAfterMs } from '../retry-after.ts';

/** Characters of an error text that come from the other side. */
const LONGEST_REASON = 2000;

/** An answer of the API server, or of what stands before it, that is not a good one. */
export class KubeRefusal extends DoorError {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, text: string, retryAfter?: string | string[]) {
    const answer = readStatus(text);
    const words = (answer?.message || text).trim().slice(0, LONGEST_REASON);
    const replaced = status === 409 && /precondition/i.test(words) && /\bUID\b/.test(words);
    const code = replaced ? 'refused' : codeOf(status, answer);
    const isReason = answer && code !== 'busy';
    super(code, isReason ? words : `the Kubernetes API answered ${status}${words && `: ${words}`}`, {
      retryAfterMs: code === 'busy' ? retryAfterMs(retryAfter ?? secondsOf(answer)) : undefined,
      replaced,
    });
    this.status = status;
  }
}

/** The answers that another try may change; 410 stands for a position in a list or a watch that is too old. */
const BUSY = new Set([408, 410, 429]);
/** What a gateway says when nobody behind it answers. */
const NOBODY_THERE = new Set([502, 503, 504]);

function codeOf(status: number, answer: Status | undefined): FailureCode {
  if (status === 404 && answer?.reason === 'NotFound') return 'not-found';
  if (!answer && NOBODY_THERE.has(status)) return 'unreachable';
  if (status >= 500 || BUSY.has(status)) return 'busy';
  return status === 409 && answer?.reason === 'Conflict' ? 'conflict' : 'refused';
}

interface Status {
  readonly kind: 'Status';
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
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

/** As the header `Retry-After` would have it. */
function secondsOf(answer: Status | undefined): string {
  return String(answer?.details?.retryAfterSeconds ?? '');
}

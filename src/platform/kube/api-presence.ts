import { DoorError } from '../../model/door-error.ts';
import type { KubeRefusal } from './kube-refusal.ts';

/** Milliseconds after the last failure to reach the API server for which it may be starting. */
const STARTING = 60_000;

/** What an authorizer says, as against an admission controller or a quota, which know what they refuse. */
const UNAUTHORIZED = /\bUser "[^"]*" cannot /;
/** What admission controllers say before they have read what they need. */
const NOT_READY = /not yet ready to handle request/;

/**
 * Remembers when the API server could not be reached. One that starts answers before it has read who may do what, and refuses
 * everybody for some seconds; that is no answer to rely on.
 */
export class ApiPresence {
  #lost = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** To be called when no answer came. */
  lost(): void {
    this.#lost = this.#now();
  }

  /** The refusal itself, or `unreachable` where it seems to come from a server that starts. */
  judge(refusal: KubeRefusal): DoorError {
    const { status, message } = refusal;
    const unknown = status === 401 || (status === 403 && UNAUTHORIZED.test(message));
    const starting = status === 403 && NOT_READY.test(message);
    if (!starting && !(unknown && this.#now() - this.#lost < STARTING)) return refusal;
    return new DoorError('unreachable', `the Kubernetes API may be starting: ${message}`, { cause: refusal });
  }
}

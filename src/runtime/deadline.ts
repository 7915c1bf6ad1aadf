import { setMaxListeners } from 'node:events';

/** A limit of time that also ends with something larger. */
export interface Deadline {
  /** Aborted when the time is over, or with the outer signal and its reason. */
  readonly signal: AbortSignal;
  /** To be called when what is limited has ended, so that nothing stays behind. */
  readonly end: () => void;
}

/**
 * Begins a limit of that many milliseconds. Not made with `AbortSignal.any`: in Node 20 a signal keeps a trace of each one
 * that was made from it for as long as it lives, and the outer one lives as long as the server.
 */
export function startDeadline(outer: AbortSignal, milliseconds: number): Deadline {
  const controller = new AbortController();
  const follow = () => controller.abort(outer.reason);
  const expire = () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  const timer = setTimeout(expire, milliseconds);
  // Everything that runs at the moment listens to it.
  setMaxListeners(0, outer);
  if (outer.aborted) follow();
  else outer.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', follow);
    },
  };
}

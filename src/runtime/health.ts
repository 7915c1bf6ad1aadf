import type { Transition } from '../model/transition.ts';

/** What the probes of whoever runs the server are told. */
export interface HealthStatus {
  /** Whether alerts are wanted: false while the server starts, stops, or cannot store them. Nothing else takes it away. */
  readonly ready: boolean;
  /** `ok`, or why it is not ready. */
  readonly text: string;
  /** What does not work as it should, `part: reason` each, in the order in which it began. */
  readonly degraded: readonly string[];
}

/** The part that says whether alerts can be stored. */
const JOURNAL = 'journal';

const TEXTS = { starting: 'starting', ok: 'ok', stopping: 'shutting down' } as const;

/**
 * How the server is. A part that fails takes the server out of service only where alerts would be lost otherwise: rules that
 * were refused, an API that does not answer, are told in the body of `/readyz` and leave it ready.
 */
export class Health {
  readonly #emit: (transition: Transition) => void;
  readonly #degraded = new Map<string, string>();
  #state: keyof typeof TEXTS = 'starting';
  #able = true;

  /** @param emit told of every change for the worse or the better, each once */
  constructor(emit: (transition: Transition) => void) {
    this.#emit = emit;
  }

  set(state: keyof typeof TEXTS): void {
    this.#state = state;
  }

  /** @param reason for people, without secrets: whoever reaches `/readyz` may read it. Empty: the part works again. */
  degrade(part: string, reason: string): void {
    if ((this.#degraded.get(part) ?? '') === reason) return;
    if (reason === '') this.#degraded.delete(part);
    else this.#degraded.set(part, reason);
    this.#emit({ kind: 'degraded', part, reason });
  }

  /** Whether alerts can be stored; `reason` says why not. */
  storing(able: boolean, reason: string): void {
    this.#able = able;
    this.degrade(JOURNAL, able ? '' : reason || 'events cannot be stored');
  }

  status(): HealthStatus {
    const able = this.#able || this.#state !== 'ok';
    return {
      ready: this.#state === 'ok' && this.#able,
      text: able ? TEXTS[this.#state] : 'events cannot be stored',
      degraded: [...this.#degraded].map(([part, reason]) => `${part}: ${reason}`),
    };
  }
}

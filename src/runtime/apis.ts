import { DoorError } from '../model/door-error.ts';
import { type Adapters, type Api, BREAKING } from '../model/door-row.ts';
import { DOORS } from '../model/doors.ts';
import type { TargetLookups } from '../model/target-facts.ts';
import type { Telemetry } from '../model/transition.ts';

/** Calls in a row that find no answer before others wait instead of trying. */
const FAILURES = 5;
/** Milliseconds between two looks whether an API answers again. */
const PROBE_EVERY = 1_000;

/** The breaker was open: nothing was asked, and so nothing happened. */
export class NotAsked extends DoorError {
  constructor(api: Api) {
    super('unreachable', `the API '${api}' does not answer`, { unasked: true });
  }
}

/**
 * The breakers of the APIs behind the doors, one each. When an API has not answered several times in a row, nothing asks it
 * any more but one step each second; all the others wait until that one gets an answer.
 */
export class Apis {
  readonly #emit: Telemetry['emit'];
  readonly #breakers = new Map<Api, Breaker>();

  constructor(emit: Telemetry['emit']) {
    this.#emit = emit;
  }

  /** Calls an API, unless its breaker is open: then it throws {@link NotAsked}. */
  call<T>(api: Api, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    return this.#of(api).call(signal, ask);
  }

  /** Resolves when all of these APIs may be asked; at once, as a rule. Rejects with the reason of the signal. */
  async ready(apis: Iterable<Api>, signal: AbortSignal): Promise<void> {
    for (const api of apis) await this.#breakers.get(api)?.ready(signal);
  }

  /** Whether some of these APIs do not answer, so that `ready` has to be waited for. */
  silent(apis: Iterable<Api>): boolean {
    return [...apis].some((api) => this.#breakers.get(api)?.isOpen);
  }

  /** APIs that were ever asked, and whether they do not answer at the moment. */
  *states(): Iterable<{ readonly api: Api; readonly open: boolean }> {
    for (const [api, { isOpen }] of this.#breakers) yield { api, open: isOpen };
  }

  #of(api: Api): Breaker {
    const known = this.#breakers.get(api);
    if (known) return known;
    const made = new Breaker(api, (open) => this.#emit({ kind: 'breaker', api, open }));
    this.#breakers.set(api, made);
    return made;
  }
}

/** Adapters that ask nothing of an API whose breaker is open. What is many things behind one name has none. */
export function guardAdapters(adapters: Adapters, apis: Apis): Adapters {
  const guarded = Object.entries(adapters).map(([door, adapter]) => {
    const { api } = DOORS[door as keyof Adapters];
    const open = adapter as (...given: unknown[]) => Promise<unknown>;
    if (!BREAKING.has(api)) return [door, open];
    return [door, (...given: unknown[]) => apis.call(api, given.at(-1) as AbortSignal, () => open(...given))];
  });
  return Object.fromEntries(guarded) as unknown as Adapters;
}

/** The same for the lookups of guards. */
export function guardLookups(lookups: TargetLookups, apis: Apis): TargetLookups {
  return {
    pod: (target, signal) => apis.call('kubernetes', signal, () => lookups.pod(target, signal)),
    node: (target, signal) => apis.call('kubernetes', signal, () => lookups.node(target, signal)),
  };
}

/**
 * Not a package's: those let what was given up count as an answer when they look whether there is one again, and reckon by a
 * clock that can be set back.
 */
class Breaker {
  readonly #api: Api;
  readonly #tell: (open: boolean) => void;
  /** Calls in a row that found no answer. */
  #unanswered = 0;
  /** When the last look found no answer, by a clock that never goes back; undefined while the breaker is closed. */
  #silentAt: number | undefined;
  #isLooking = false;
  /** Steps that wait, oldest first. */
  readonly #waiting = new Set<() => void>();
  /** Wakes one of them now and then; there while the API is known not to answer. */
  #probes: NodeJS.Timeout | undefined;

  constructor(api: Api, tell: (open: boolean) => void) {
    this.#api = api;
    this.#tell = tell;
  }

  get isOpen(): boolean {
    return this.#silentAt !== undefined;
  }

  async call<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    const looks = this.isOpen;
    if (looks) this.#beginLook();
    try {
      const answer = await ask();
      this.#answered();
      return answer;
    } catch (error) {
      // What was given up because its step ended says nothing about the API.
      if (error instanceof DoorError && !signal.aborted) {
        if (error.code === 'unreachable') this.#missed();
        else this.#answered();
      }
      throw error;
    } finally {
      if (looks) this.#endLook();
    }
  }

  /** @throws NotAsked when somebody looks already, or has just looked */
  #beginLook(): void {
    // A little less than the pause, so that whoever is woken is let through.
    const isTooSoon = performance.now() - (this.#silentAt ?? 0) < PROBE_EVERY / 2;
    if (this.#isLooking || isTooSoon) throw new NotAsked(this.#api);
    this.#isLooking = true;
  }

  #endLook(): void {
    this.#isLooking = false;
    if (this.isOpen) this.#silentAt = performance.now();
  }

  #missed(): void {
    this.#unanswered++;
    if (this.isOpen || this.#unanswered < FAILURES) return;
    this.#silentAt = performance.now();
    this.#tell(true);
    this.#probes = setInterval(() => this.#waiting.values().next().value?.(), PROBE_EVERY).unref();
  }

  #answered(): void {
    this.#unanswered = 0;
    if (!this.isOpen) return;
    this.#silentAt = undefined;
    clearInterval(this.#probes);
    this.#tell(false);
    for (const wake of [...this.#waiting]) wake();
  }

  ready(signal: AbortSignal): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', give, { once: true });
      if (signal.aborted) give();
    });
  }
}

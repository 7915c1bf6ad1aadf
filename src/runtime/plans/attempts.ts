import { ExponentialBackoff, fullJitterGenerator } from 'cockatiel';
import type { FailureCode, Outcome } from '../../model/outcome.ts';
import type { PlannedAction } from '../../model/rule.ts';

type BackoffStep = ReturnType<ExponentialBackoff<unknown>['next']>;
type Failure = Extract<Outcome, { status: 'failure' }>;

/** How long and how often a step is tried. Times in milliseconds. */
export interface AttemptLimits {
  /** Tries in all, not counting those that found nobody to talk to. */
  readonly attempts: number;
  /** Longest time before the second try; doubled for each one after it. */
  readonly backoff: number;
  /** How long a step goes on trying to reach an API that does not answer. */
  readonly unreachable: number;
}

/** The settings by which tries are limited where rules do not say. */
export interface AttemptSettings {
  readonly attempts: number;
  readonly backoff_milliseconds: number;
  readonly unreachable_seconds: number;
}

/** Longest time between two tries where neither the rule nor the other side asks for more. */
const LONGEST_BACKOFF = 60_000;
/** The same while the other side does not answer at all: it may be back at any moment. */
const LONGEST_UNREACHABLE_BACKOFF = 5_000;
/** Longest time that the other side may ask for. */
const LONGEST_RETRY_AFTER = 600_000;
/** After these another try may help. Of an effect that was cut off and must not be made twice there is none: see `runTries`. */
const PASSING: ReadonlySet<FailureCode> = new Set(['busy', 'conflict', 'interrupted']);

/** The limits of an action: the rule's own, else the settings, but a single try of what must not be done twice. */
export function attemptLimits({ retry }: PlannedAction, idempotent: boolean, settings: AttemptSettings): AttemptLimits {
  return {
    attempts: retry?.attempts ?? (idempotent ? settings.attempts : 1),
    backoff: retry?.backoff === undefined ? settings.backoff_milliseconds : retry.backoff * 1000,
    unreachable: settings.unreachable_seconds * 1000,
  };
}

/**
 * Decides after each failed try of a step whether there is another one, and when. Tries that found the other side busy, or
 * the object changed by somebody else, or that were cut off in the middle, are counted; those that found nobody are not, but end after a time. All other failures
 * are final. Waits grow exponentially and are spread at random (full jitter), so that plans which failed together do not come
 * back together.
 */
export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  #current: number;
  #busy: BackoffStep | undefined;
  #unreachable: BackoffStep | undefined;
  #unreachableSince: number | undefined;

  /**
   * @param made tries that were made before a restart
   * @param now milliseconds of a clock that never goes back
   */
  constructor(limits: AttemptLimits, made: number, now: () => number) {
    this.#limits = limits;
    this.#current = Math.max(1, made);
    this.#now = now;
  }

  /** Number of the try that is to be made or is being made, from 1. */
  get current(): number {
    return this.#current;
  }

  /** Milliseconds to wait before the next try, or undefined when this failure is the end. */
  waitAfter({ code, retryAfterMs = 0 }: Failure): number | undefined {
    if (code === 'unreachable') return this.#waitForAnswer();
    this.#unreachableSince = undefined;
    this.#unreachable = undefined;
    if (!PASSING.has(code)) return undefined;
    if (this.#current >= this.#limits.attempts) return undefined;
    this.#current++;
    const { backoff: first } = this.#limits;
    this.#busy = this.#busy?.next(undefined) ?? backoff(first, Math.max(first, LONGEST_BACKOFF));
    return Math.max(this.#busy.duration, Math.min(retryAfterMs, LONGEST_RETRY_AFTER));
  }

  /** Milliseconds for which the step may still wait for an API that does not answer; the time counts from the first call. */
  patience(): number {
    this.#unreachableSince ??= this.#now();
    return Math.max(0, this.#unreachableSince + this.#limits.unreachable - this.#now());
  }

  #waitForAnswer(): number | undefined {
    const left = this.patience();
    if (left === 0) return undefined;
    this.#unreachable =
      this.#unreachable?.next(undefined) ?? backoff(this.#limits.backoff, LONGEST_UNREACHABLE_BACKOFF);
    return Math.min(this.#unreachable.duration, left);
  }
}

function backoff(initialDelay: number, maxDelay: number): BackoffStep {
  return new ExponentialBackoff({ initialDelay, maxDelay, generator: fullJitterGenerator }).next();
}

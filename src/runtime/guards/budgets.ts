import { LONGEST_WINDOW_SECONDS } from '../../model/guard-policy.ts';
import type { BudgetUse } from '../../model/journal.ts';

/** The step that wants budgets, as the journal numbers it. */
export interface BudgetUser {
  readonly alert: number;
  readonly step: number;
}

/** A limit: at most `max` uses of a key within any `window` seconds. */
export interface BudgetLimit {
  /** Names the policy, what it counts by, and the values of that. */
  readonly key: string;
  readonly max: number;
  readonly window: number;
}

/** How many uses are recorded between two looks for old ones. */
const SWEEP_EVERY = 1_024;

interface Uses {
  /** Seconds for which uses of the key matter. */
  window: number;
  /** Milliseconds since 1970 by user. */
  readonly at: Map<string, number>;
  /** The same times, oldest first: there may be hundreds of thousands, and every step counts them. */
  times: number[];
}

/**
 * When budgets were used, in memory; one for the life of the server. The journal keeps the same durably, in what is recorded
 * as `reserved`.
 */
export class Budgets {
  readonly #uses = new Map<string, Uses>();
  #unswept = 0;

  /** @param uses what the journal says of the time before, as far back as {@link LONGEST_WINDOW_SECONDS} */
  constructor(uses: readonly BudgetUse[] = []) {
    for (const { key, at, alert, step } of uses.toSorted((a, b) => a.at - b.at)) {
      record(this.#usesOf(key, LONGEST_WINDOW_SECONDS), nameOf({ alert, step }), at);
    }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#uses.size;
  }

  /**
   * Takes one use of each limit for a step, or of none if one of them is spent. What the step holds already, from an earlier
   * try, is not taken twice and never spent, for as long as its window lasts: a step that waited for longer, for an API that
   * was away or for an operator, acts in another window and has to find room there.
   *
   * @param now milliseconds since 1970
   * @param spends takes them though they are spent
   * @returns the limit that is spent, if there is one
   */
  reserve<L extends BudgetLimit>(
    user: BudgetUser,
    limits: readonly L[],
    now: number,
    spends: 'within' | 'beyond' = 'within',
  ): L | undefined {
    const spent = spends === 'within' ? limits.find((limit) => this.isSpent(user, limit, now)) : undefined;
    if (spent) return spent;
    for (const { key, window } of limits) this.#take(user, key, window, now);
    return undefined;
  }

  /** Whether the step would find a limit spent. */
  isSpent(user: BudgetUser, limit: BudgetLimit, now: number): boolean {
    return !this.holds(user, limit, now) && this.count(limit.key, limit.window, now) >= limit.max;
  }

  /** Whether the step has taken a use within the window. */
  holds(user: BudgetUser, { key, window }: Pick<BudgetLimit, 'key' | 'window'>, now: number): boolean {
    const own = this.#uses.get(key)?.at.get(nameOf(user));
    return own !== undefined && own > now - window * 1000;
  }

  /** How often a key was used within a window of seconds that ends now, by others than `user`. */
  count(key: string, window: number, now: number, user?: BudgetUser): number {
    const uses = this.#uses.get(key);
    if (!uses) return 0;
    const since = now - window * 1000;
    const own = user && uses.at.get(nameOf(user));
    return uses.times.length - countUntil(uses.times, since) - Number(own !== undefined && own > since);
  }

  /** Where limits of one key have several windows, the shortest one renews the use for all: that is when the step acts. */
  #take(user: BudgetUser, key: string, window: number, now: number): void {
    const uses = this.#usesOf(key, window);
    uses.window = Math.max(uses.window, window);
    if (!this.holds(user, { key, window }, now)) record(uses, nameOf(user), now);
    if (++this.#unswept >= SWEEP_EVERY) this.#sweep(now);
  }

  #usesOf(key: string, window: number): Uses {
    const known = this.#uses.get(key);
    if (known) return known;
    const uses: Uses = { window, at: new Map(), times: [] };
    this.#uses.set(key, uses);
    return uses;
  }

  /** Forgets what no window reaches any more. */
  #sweep(now: number): void {
    this.#unswept = 0;
    for (const [key, uses] of this.#uses) {
      const gone = countUntil(uses.times, now - uses.window * 1000);
      if (gone === uses.times.length) this.#uses.delete(key);
      else if (gone > 0) forget(uses, gone);
    }
  }
}

/** Sets when a key was used by somebody. */
function record({ at, times }: Uses, user: string, now: number): void {
  const before = at.get(user);
  if (before !== undefined) times.splice(countUntil(times, before) - 1, 1);
  at.set(user, now);
  times.splice(countUntil(times, now), 0, now);
}

/** Drops the oldest uses of a key. */
function forget(uses: Uses, count: number): void {
  const latest = uses.times[count - 1] ?? Number.NEGATIVE_INFINITY;
  for (const [user, used] of uses.at) if (used <= latest) uses.at.delete(user);
  uses.times = uses.times.slice(count);
}

/** How many of some times, oldest first, are not after a point in time. */
function countUntil(times: readonly number[], point: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= point) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nameOf({ alert, step }: BudgetUser): string {
  return `${alert}/${step}`;
}

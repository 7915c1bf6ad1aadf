import { LONGEST_WINDOW_SECONDS } from '../model/guard-policy.ts';
import type { BudgetUse } from '../model/journal.ts';

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
  /** Milliseconds since 1970 by user, oldest first. */
  readonly at: Map<string, number>;
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
      this.#usesOf(key, LONGEST_WINDOW_SECONDS).at.set(nameOf({ alert, step }), at);
    }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#uses.size;
  }

  /**
   * Takes one use of each limit for a step, or of none if one of them is spent. What the step holds already, from an earlier
   * try, is not taken twice and never spent. Returns the limit that is spent, if there is one.
   *
   * @param now milliseconds since 1970
   */
  reserve<L extends BudgetLimit>(user: BudgetUser, limits: readonly L[], now: number): L | undefined {
    const spent = limits.find((limit) => this.isSpent(user, limit, now));
    if (spent) return spent;
    for (const { key, window } of limits) this.#take(user, key, window, now);
    return undefined;
  }

  /** Whether the step would find a limit spent. */
  isSpent(user: BudgetUser, { key, max, window }: BudgetLimit, now: number): boolean {
    return !this.#uses.get(key)?.at.has(nameOf(user)) && this.count(key, window, now) >= max;
  }

  /** How often a key was used within a window of seconds that ends now, by others than `user`. */
  count(key: string, window: number, now: number, user?: BudgetUser): number {
    const since = now - window * 1000;
    const own = user && nameOf(user);
    let count = 0;
    for (const [name, at] of this.#uses.get(key)?.at ?? []) if (at > since && name !== own) count++;
    return count;
  }

  #take(user: BudgetUser, key: string, window: number, now: number): void {
    const uses = this.#usesOf(key, window);
    uses.window = Math.max(uses.window, window);
    if (!uses.at.has(nameOf(user))) uses.at.set(nameOf(user), now);
    if (++this.#unswept >= SWEEP_EVERY) this.#sweep(now);
  }

  #usesOf(key: string, window: number): Uses {
    const known = this.#uses.get(key);
    if (known) return known;
    const uses: Uses = { window, at: new Map() };
    this.#uses.set(key, uses);
    return uses;
  }

  /** Forgets what no window reaches any more. */
  #sweep(now: number): void {
    this.#unswept = 0;
    for (const [key, { window, at }] of this.#uses) {
      for (const [user, used] of at) if (used <= now - window * 1000) at.delete(user);
      if (at.size === 0) this.#uses.delete(key);
    }
  }
}

function nameOf({ alert, step }: BudgetUser): string {
  return `${alert}/${step}`;
}

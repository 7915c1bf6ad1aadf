/** Whose turn is next, and how long it may be. Times are milliseconds. */
export interface TurnTimes {
  readonly turn: number;
  /** For plug-ins that used up a turn lately, and for those that nobody knows while such plug-ins are about. */
  readonly shortTurn: number;
  /** How long an offence is remembered. */
  readonly memory: number;
}
export const TURN_TIMES: TurnTimes = { turn: 200, shortTurn: 20, memory: 30_000 };

/** A turn that a step waits for. */
export interface WaitingTurn {
  readonly plugin: string;
  readonly run: (milliseconds: number) => Promise<void>;
}

/**
 * The order of turns in the one thread. A crowd of loops must not hold those that do their work: plug-ins that have ended
 * a step well go first, those that used up a turn lately go last and get short turns.
 */
export class TurnOrder {
  readonly #times: TurnTimes;
  readonly #waiting: WaitingTurn[] = [];
  readonly #proven = new Set<string>();
  readonly #offences = new Map<string, number>();
  #lastOffence = Number.NEGATIVE_INFINITY;

  constructor(times: TurnTimes) {
    this.#times = times;
  }

  add(turn: WaitingTurn): void {
    this.#waiting.push(turn);
  }

  /** Takes the next turn; it is to be run for no longer than `milliseconds`. */
  next(): { readonly turn: WaitingTurn; readonly milliseconds: number } | undefined {
    const ranks = this.#waiting.map(({ plugin }) => this.#rank(plugin));
    const [turn] = this.#waiting.splice(ranks.indexOf(Math.min(...ranks)), 1);
    return turn && { turn, milliseconds: this.#milliseconds(turn.plugin) };
  }

  ended(plugin: string): void {
    if (!this.#isSuspect(plugin)) this.#proven.add(plugin);
  }

  offended(plugin: string): void {
    this.#lastOffence = performance.now();
    this.#offences.set(plugin, this.#lastOffence);
    this.#proven.delete(plugin);
  }

  #rank(plugin: string): number {
    return this.#isSuspect(plugin) ? 2 : this.#proven.has(plugin) ? 0 : 1;
  }

  #milliseconds(plugin: string): number {
    const { turn, shortTurn, memory } = this.#times;
    const trusted = this.#proven.has(plugin) || performance.now() - this.#lastOffence > memory;
    return trusted ? turn : shortTurn;
  }

  #isSuspect(plugin: string): boolean {
    const since = this.#offences.get(plugin);
    return since !== undefined && performance.now() - since < this.#times.memory;
  }
}

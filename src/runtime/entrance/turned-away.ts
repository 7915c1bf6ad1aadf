import type { Refusal, Telemetry } from '../../model/transition.ts';

/** Milliseconds between two lines about one reason. */
const QUIET = 60_000;

/** Why somebody was turned away at the gate. */
export type GateReason = Extract<Refusal, 'unauthorized' | 'not_found' | 'rate'>;

interface Tally {
  times: number;
  /** When it was last told. */
  told: number;
}

/** Tells of senders that are turned away: of the first at once, then of all others once a minute, however many there are. */
export class TurnedAway {
  readonly #telemetry: Telemetry;
  readonly #now: () => number;
  readonly #tallies: Record<GateReason, Tally> = {
    unauthorized: { times: 0, told: Number.NEGATIVE_INFINITY },
    not_found: { times: 0, told: Number.NEGATIVE_INFINITY },
    rate: { times: 0, told: Number.NEGATIVE_INFINITY },
  };

  /** @param now milliseconds of a clock that never goes back */
  constructor(telemetry: Telemetry, now: () => number) {
    this.#telemetry = telemetry;
    this.#now = now;
  }

  note(reason: GateReason, address: string): void {
    const tally = this.#tallies[reason];
    tally.times++;
    const now = this.#now();
    if (now - tally.told < QUIET) return;
    this.#telemetry.emit({ kind: 'turned_away', reason, times: tally.times, address });
    tally.times = 0;
    tally.told = now;
  }
}

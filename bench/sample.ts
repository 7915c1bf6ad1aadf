/** Something to measure: one call does the same work on each of so many items. */
export interface Contender {
  readonly items: number;
  readonly run: () => void;
}

export interface Timing {
  /** Microseconds per item: the median of short samples, and what the quickest twentieth of them stay below. */
  readonly median: number;
  readonly quickest: number;
}

export interface SamplingOptions {
  /** Times that each contender has its turn. */
  readonly rounds: number;
  /** Samples in a turn; one is a single call. */
  readonly samples: number;
}

/**
 * Measures contenders in turn, so that what else the machine does meets all of them alike. Samples are short: on a shared
 * machine, long ones measure the others.
 */
export function timings<K extends string>(
  contenders: Readonly<Record<K, Contender>>,
  { rounds, samples }: SamplingOptions,
): Record<K, Timing> {
  const names = Object.keys(contenders) as K[];
  const measured = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const { items, run } = contenders[name];
      const times = turn(run, samples).map((milliseconds) => (milliseconds * 1000) / items);
      // The first round is for the compilers of the engine.
      if (round > 0) measured.get(name)?.push(...times);
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(measured.get(name) ?? [])])) as Record<K, Timing>;
}

function turn(run: () => void, samples: number): number[] {
  return Array.from({ length: samples }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
}

function summary(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { median: at(0.5), quickest: at(0.05) };
}

/** Median of the milliseconds that some calls take. */
export function medianMilliseconds(calls: number, run: () => void): number {
  const sorted = turn(run, calls).sort((a, b) => a - b);
  return sorted[Math.floor(calls / 2)] ?? Number.NaN;
}

/** Milliseconds of one call. */
export function milliseconds(run: () => void): number {
  return turn(run, 1)[0] ?? Number.NaN;
}

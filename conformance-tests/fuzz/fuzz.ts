import { decodeEvent } from '../../src/model/decode-event.ts';
import { Engines } from './engines.ts';
import { BodyGenerator } from './generate-body.ts';
import type { Sample } from './generate-condition.ts';
import { generateRules } from './generate-rules.ts';
import { Random } from './random.ts';
import { type Pair, shrink } from './shrink.ts';

/** Bodies per set of rules. */
const BODIES = 50;
/** One set in so many also goes through the unchanged opa-wasm. */
const STOCK_EVERY = 10;

export interface FuzzCounts {
  pairs: number;
  /** Alerts that matched a rule. */
  matched: number;
  /** Bodies that are no alert, by error code. */
  errors: Record<number, number>;
  /** Pairs that went through the unchanged opa-wasm as well. */
  stock: number;
}

export interface FuzzFailure extends Pair {
  /** Seed of the set; running it alone finds the failure again. */
  readonly seed: number;
  /** How the engines differ, or the trap. */
  readonly difference: string;
}

/**
 * Runs generated pairs of rules and bodies through the interpreter, the module and (a tenth) the unchanged opa-wasm. Every
 * set has a seed of its own, counted up from the first. Stops at the first difference, with the pair made smaller.
 */
export async function fuzz(
  firstSeed: number,
  pairs: number,
  progress: (counts: FuzzCounts) => void = () => {},
): Promise<FuzzCounts & { failure?: FuzzFailure }> {
  const counts: FuzzCounts = { pairs: 0, matched: 0, errors: {}, stock: 0 };
  for (let seed = firstSeed; counts.pairs < pairs; seed++) {
    const failure = await fuzzSet(seed, counts);
    if (failure) return { ...counts, failure };
    progress(counts);
  }
  return counts;
}

async function fuzzSet(seed: number, counts: FuzzCounts): Promise<FuzzFailure | undefined> {
  const random = new Random(seed);
  const generator = new BodyGenerator(random);
  const bodies = random.many(() => generator.body(), BODIES, BODIES);
  const rules = generateRules(random, bodies.flatMap(samplesOf));
  const stock = seed % STOCK_EVERY === 0;
  const engines = await loaded(rules, stock);
  if (typeof engines === 'string') return smallestFailure(seed, { rules, body: new Uint8Array() }, stock);
  for (const body of bodies) {
    if (differenceOf(engines, body)) return smallestFailure(seed, { rules, body }, stock);
    count(counts, engines.answer(body), stock);
  }
  return undefined;
}

function samplesOf(body: Uint8Array): Sample[] {
  const decoded = decodeEvent(body);
  return decoded.ok ? [...(decoded.event.output_fields ?? [])] : [];
}

async function smallestFailure(seed: number, pair: Pair, stock: boolean): Promise<FuzzFailure> {
  const difference = async ({ rules, body }: Pair) => {
    const engines = await loaded(rules, stock);
    return typeof engines === 'string' ? engines : differenceOf(engines, body);
  };
  const smaller = await shrink(pair, async (candidate) => (await difference(candidate)) !== undefined);
  return { seed, ...smaller, difference: (await difference(smaller)) ?? 'only in sequence with other bodies' };
}

/** The engines, or why they cannot be had for these rules. */
async function loaded(rules: Pair['rules'], stock: boolean): Promise<Engines | string> {
  try {
    return await Engines.load(rules, stock);
  } catch (error) {
    return thrown(error);
  }
}

/** A trap of the module or an exception of ours counts as a difference. */
function differenceOf(engines: Engines, body: Uint8Array): string | undefined {
  try {
    return engines.difference(body);
  } catch (error) {
    return thrown(error);
  }
}

function thrown(error: unknown): string {
  return `thrown: ${error instanceof Error ? error.stack : String(error)}`;
}

function count(counts: FuzzCounts, answer: ReturnType<Engines['answer']>, stock: boolean): void {
  counts.pairs += 1;
  if (stock) counts.stock += 1;
  if ('error' in answer) counts.errors[answer.error] = (counts.errors[answer.error] ?? 0) + 1;
  else if (answer.length > 0) counts.matched += 1;
}

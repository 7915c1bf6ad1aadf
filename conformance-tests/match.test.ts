import { describe } from 'vitest';
import { compileCase } from './compile-case.ts';
import { conformance } from './harness.ts';
import { MATCHING_ENGINES } from './matching-engines.ts';

interface Matched {
  readonly matched: readonly string[];
  /** The alert was taken, and lost before the rules. */
  readonly dropped?: boolean;
}

/** The unchanged opa-wasm takes its time to load, so it runs one case in so many. */
const STOCK_EVERY = 4;

describe.each(Object.entries(MATCHING_ENGINES))('%s', (name, load) => {
  conformance<Matched>({
    category: 'match',
    only: ({ id }) => name !== 'opa-wasm' || Number(id.replace(/\D/g, '')) % STOCK_EVERY === 0,
    recorded: ({ matched, dropped }) => (dropped ? 'lost' : matched),
    ours: async (oracleCase) => {
      const match = await load(compileCase(oracleCase));
      return match(Buffer.from(oracleCase.bodies[0] ?? ''));
    },
  });
});

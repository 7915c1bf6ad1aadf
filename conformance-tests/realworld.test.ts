import { describe } from 'vitest';
import { compileCase } from './compile-case.ts';
import { conformance } from './harness.ts';
import { MATCHING_ENGINES } from './matching-engines.ts';

describe.each(Object.entries(MATCHING_ENGINES))('%s', (_, load) => {
  conformance<{ readonly matched: readonly (readonly string[])[] }>({
    category: 'realworld',
    recorded: ({ matched }) => matched,
    ours: async (oracleCase) => {
      const match = await load(compileCase(oracleCase));
      return oracleCase.bodies.map((body) => match(Buffer.from(body)));
    },
  });
});

import { describe, expect, test } from 'vitest';
import { type Difference, readDifferences, readQuirks } from './differences.ts';
import { type Category, type OracleCase, oracleCases } from './oracle-case.ts';

/** How a category is compared: both functions give the same shape, plain data only. */
export interface Comparison<E, M> {
  readonly category: Category;
  /** What of the recorded result is compared. */
  readonly recorded: (expected: E, oracleCase: OracleCase<E, M>) => unknown;
  /** The same, from our engine. */
  readonly ours: (oracleCase: OracleCase<E, M>) => unknown;
  /** Leaves cases out; for a second engine that runs a part of them. */
  readonly only?: (oracleCase: OracleCase<E, M>) => boolean;
}

/**
 * Declares one test per recorded case: our result equals the recorded one or, where differences.yaml lists the case, the
 * result that is written there. A listed result that equals the recorded one is stale and fails, as does a listed case
 * that does not exist.
 */
export function conformance<E, M = object>(comparison: Comparison<E, M>): void {
  const { category } = comparison;
  const cases = oracleCases<E, M>(category);
  const differences = readDifferences(category);
  for (const oracleCase of cases.filter(comparison.only ?? (() => true))) {
    test(`${oracleCase.id} (${oracleCase.theme})`, async () => {
      const ours = await comparison.ours(oracleCase);
      const recorded = comparison.recorded(oracleCase.expected, oracleCase);
      const difference = differences.get(oracleCase.id);
      if (difference) expect(difference.expected, 'listed as a difference, yet as recorded').not.toEqual(recorded);
      expect(ours, ourQuirks(oracleCase, difference)).toEqual(difference ? difference.expected : recorded);
    });
  }
  describe('differences.yaml', () => checkDifferences(category, differences, new Set(cases.map(({ id }) => id))));
}

function checkDifferences(category: string, differences: ReadonlyMap<string, Difference>, ids: ReadonlySet<string>) {
  const quirks = readQuirks();
  test(`lists only cases of ${category}`, () => {
    expect([...differences.keys()].filter((id) => !ids.has(id))).toEqual([]);
  });
  test(`gives a reason of oracle/quirks.yaml for each case of ${category}`, () => {
    const unfounded = [...differences].filter(([, { reason }]) => {
      const quirk = quirks[reason.slice(0, reason.indexOf(':'))];
      return quirk === undefined || quirk.ours === 'same';
    });
    expect(unfounded).toEqual([]);
  });
}

function ourQuirks(oracleCase: OracleCase<unknown, object>, difference: Difference | undefined): string {
  if (difference) return difference.reason;
  return `not listed in differences.yaml; quirks of the case: ${oracleCase.quirks?.join(', ') ?? 'none'}`;
}

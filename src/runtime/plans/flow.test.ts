import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlowSettings, goesOn } from './flow.ts';

describe('goesOn', () => {
  it.each([
    // error, ignore_errors, continue: next?
    [false, false, true, true],
    [false, true, true, true],
    [false, false, false, false],
    [false, true, false, false],
    [true, false, true, false],
    [true, false, false, false],
    [true, true, true, true],
    [true, true, false, false],
  ])('error %s, ignore_errors %s, continue %s: %s', (failed, ignore_errors, next, expected) => {
    expect(goesOn({ continue: next, ignore_errors }, failed)).toBe(expected);
  });

  it('runs of a rule exactly the actions up to the first that stops', () => {
    const step = fc.record({ continue: fc.boolean(), ignore_errors: fc.boolean(), failed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const ran = runs(steps);
        const stops = steps.findIndex((each) => !each.continue || (each.failed && !each.ignore_errors));
        expect(ran).toBe(stops === -1 ? steps.length : stops + 1);
      }),
    );
  });
});

function runs(steps: readonly (FlowSettings & { failed: boolean })[]): number {
  let ran = 0;
  for (const step of steps) {
    ran++;
    if (!goesOn(step, step.failed)) break;
  }
  return ran;
}

import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Actionner } from '../../model/definition.ts';
import { action } from '../test-pipeline.ts';
import { stepDeadline } from './step-deadline.ts';

function actionner(lasts?: (parameters: { duration: number }) => number): Actionner {
  const behaviour = {
    idempotent: true,
    uses: [],
    deadline: 60,
    writes: () => [],
    run: async () => undefined,
    ...(lasts && { lasts }),
  };
  return { parameters: z.object({ duration: z.number().default(5) }), behaviour } as unknown as Actionner;
}

const capture = actionner(({ duration }) => duration);

it.each([
  ['declared', action('a'), actionner(), 0, 60],
  ['set for all', action('a'), actionner(), 20, 20],
  ['set by the rule', action('a', { timeout: 7 }), actionner(), 20, 7],
  ['raised to what it takes by itself', action('a', { timeout: 7, parameters: { duration: 30 } }), capture, 20, 40],
  ['longer than that anyway', action('a', { parameters: { duration: 30 } }), capture, 0, 60],
  ['that of wrong parameters', action('a', { timeout: 7, parameters: { duration: 'x' } }), capture, 0, 7],
])('the deadline is %s', (_, planned, given, setting, seconds) => {
  expect(stepDeadline(planned, given, setting)).toBe(seconds * 1000);
});

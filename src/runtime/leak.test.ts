import { expect, it } from 'vitest';
import { DoorError } from '../model/door-error.ts';
import type { Guard } from './guards/guard.ts';
import { Lanes } from './lanes.ts';
import { action, alertBody, allowAll, failure, rule, SUCCESS, World } from './test-pipeline.ts';

/** Guards that go wrong in all ways. */
const FAULTS: readonly (() => never | Awaited<ReturnType<Guard>>)[] = [
  () => {
    throw new Error('a defect');
  },
  () => {
    throw new DoorError('unreachable', 'no answer');
  },
  () => {
    throw new DoorError('not-found', 'gone');
  },
  () => ({ kind: 'denied', policy: 'P', reason: 'no', monitored: [] }),
  () => ({ kind: 'parked', policy: 'P', reason: 'who knows', monitored: [] }),
  () => ({ kind: 'dry_run' }),
];

it('has its places back after any number of plans that go wrong', async () => {
  const lanes = new Lanes({ tasks: 1_000, bytes: 1e6, perLane: 100, running: 2 });
  let asked = 0;
  const guard: Guard = async (step) => {
    const fault = step.step.action.action === 'fine' ? undefined : FAULTS[asked++ % FAULTS.length];
    return fault ? fault() : allowAll(step);
  };
  const wrong = ['throws', 'busy', 'missing', 'unreachable', 'guarded'];
  const world = new World(
    {
      throws: ['throws'],
      busy: [failure('busy')],
      missing: ['missing'],
      unreachable: [failure('unreachable')],
      guarded: [SUCCESS],
      fine: [SUCCESS],
    },
    { lanes, guard, retry: { attempts: 2, backoff_milliseconds: 1, unreachable_seconds: 0 } },
  );
  const outputs = Array.from({ length: 20 * wrong.length }, (_, index) => index);
  const admitted = outputs.map((index) => {
    const name = wrong[index % wrong.length] as string;
    return world.admit([rule('R', [action(name)])], alertBody({ output: `wrong ${index}`, pod: `pod-${index % 7}` }));
  });
  expect(new Set(await Promise.all(admitted))).toEqual(new Set(['accepted']));
  await lanes.idle();
  expect([lanes.size, lanes.running]).toEqual([0, 0]);
  const states = [...world.journal.plans.values()].map(({ state }) => state);
  expect(states).not.toContain('open');
  await world.admit([rule('R', [action('fine')])], alertBody({ output: 'fine' }));
  await lanes.idle();
  expect(world.shown.at(-1)).toBe('ended fine success');
});

import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { STEP_LIMITS } from './messages.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxedStep } from './sandboxed-step.ts';

const MEGABYTE = 1_000_000;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function newStep(open: () => Promise<unknown>, limits = STEP_LIMITS) {
  const place = { answer: vi.fn(), abort: vi.fn() };
  const sandbox = { start: (step: SandboxedStep) => step.begins(place) } as unknown as Sandbox;
  const cut = vi.fn();
  const texts = { input: '', event: '' };
  const step = new SandboxedStep({ sandbox, plugin: 'test:step', texts, limits, open, ended: vi.fn(), cut });
  return { step, place, cut };
}

it('does not keep what its code asked with', async () => {
  const { step, place } = newStep(async () => 'fine');
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let call = 0; call < 100; call++) {
    step.called([{ call, door: 'pods.label', given: JSON.stringify([call, 'x'.repeat(MEGABYTE)]) }]);
    await turn();
  }
  expect(place.answer).toHaveBeenCalledTimes(100);
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * MEGABYTE);
});

it('is ended when it asks for more than is remembered', async () => {
  const { step, place, cut } = newStep(async () => 'x'.repeat(1_000), { ...STEP_LIMITS, answered: 10_000 });
  for (let call = 0; call < 20 && cut.mock.calls.length === 0; call++) {
    step.called([{ call, door: 'pods.owner', given: `[${call}]` }]);
    await turn();
  }
  expect(cut).toHaveBeenCalledExactlyOnceWith('limit', 'it asked for too much');
  expect(place.abort).toHaveBeenCalledOnce();
  expect(place.answer.mock.calls.length).toBeLessThan(10);
});

import { expect, it } from 'vitest';
import { CellStore } from './cell-store.ts';
import { STEP_LIMITS, type StepInput } from './messages.ts';

const input: StepInput = { given: {}, uses: ['pods.owner'], now: 0, seed: 1 };
const TEXTS = { input: JSON.stringify(input), event: '{}' };
const SECOND = 1_000;

/** Takes nearly all memory that there is, and waits for an answer. */
const FILLS_MEMORY = `__define(async ({ use }) => {
  const answer = use['pods.owner']();
  let spare = new Uint8Array(50_000);
  const hoard = [];
  for (let size = 1 << 20; size > 64; size >>= 1) {
    try {
      for (;;) hoard.push(new Uint8Array(size));
    } catch {}
  }
  spare = undefined;
  await answer;
  return { hoard };
});`;

it('an answer for which there is no memory is written nowhere', async () => {
  const store = await CellStore.open(STEP_LIMITS, 5 * SECOND);
  const { cell } = await store.take();
  expect(cell.begin(FILLS_MEMORY, 'fills', TEXTS, 5 * SECOND)).toMatchObject({ calls: [{ door: 'pods.owner' }] });
  const answer = JSON.stringify({ call: 0, value: 'Z'.repeat(400_000) });
  expect(cell.answer(0, answer, SECOND)).toMatchObject({
    cut: { code: 'limit', reason: expect.stringContaining('out of memory') },
  });
});

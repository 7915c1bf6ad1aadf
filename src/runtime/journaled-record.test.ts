import { expect, it } from 'vitest';
import { DoorError } from '../model/door-error.ts';
import type { Progress } from '../model/journal.ts';
import { NotAsked } from './apis.ts';
import { journaledRecord } from './journaled-record.ts';
import { StepHistory } from './resume.ts';

function build(once: boolean) {
  const history = new StepHistory();
  const written: Progress[] = [];
  const record = () =>
    journaledRecord({ step: 0, history, once, append: async (progress) => void written.push(progress) });
  return { history, written, record };
}

it('gives the answers of a call in their order, to each try from the first on', async () => {
  const { record } = build(false);
  const first = record();
  expect(first.take('c')).toBeUndefined();
  await first.answers('c', 'door', 1);
  expect(first.take('c')).toBeUndefined();
  await first.answers('c', 'door', 2);
  const second = record();
  expect([second.take('c'), second.take('other'), second.take('c'), second.take('c')]).toEqual([
    { answer: 1 },
    undefined,
    { answer: 2 },
    undefined,
  ]);
});

it('records beforehand only what must not be made twice', async () => {
  for (const once of [true, false]) {
    const { record, written } = build(once);
    await record().begins('c', 'door');
    expect(written).toEqual(once ? [{ kind: 'began', step: 0, call: 'c', door: 'door' }] : []);
  }
});

it.each([
  [new DoorError('refused', 'no'), 'refused', false],
  [new DoorError('busy', 'later'), 'busy', false],
  [new DoorError('unreachable', 'no answer'), 'unreachable', true],
  [new NotAsked('kubernetes'), 'busy', false],
  [new Error('a defect'), 'bug', true],
])('says after %s whether the effect may have been made', async (error, code, uncertain) => {
  const { record, written, history } = build(true);
  await record().begins('c', 'door');
  expect(history.uncertain).toBe(true);
  await record().fails('c', 'door', error);
  expect(written.at(-1)).toEqual({ kind: 'failed', step: 0, call: 'c', door: 'door', code });
  expect(history.uncertain).toBe(uncertain);
});

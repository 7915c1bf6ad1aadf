import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BatchWriter } from './batch-writer.ts';
import type { ToThread } from './journal-thread.ts';
import { closeEntry, sampleAlert } from './scratch-journal.ts';

type Sent = ToThread & { kind: 'batch' };

/** A writer whose thread is the test. */
function writerOf(maxWaitingBytes = 2 ** 20) {
  const sent: Sent[] = [];
  const commits: number[] = [];
  const health: (readonly [boolean, string])[] = [];
  const writer = new BatchWriter({
    send: (batch) => sent.push(batch),
    maxWaitingBytes,
    onCommit: (records) => commits.push(records),
  });
  writer.onHealth((writable, reason) => health.push([writable, reason]));
  const answer = (alerts: boolean, entries = alerts) => {
    const { buffer } = sent.at(-1) as Sent;
    writer.written({ kind: 'written', buffer, alerts, entries, error: alerts && entries ? '' : 'disk is full' });
  };
  return { writer, sent, commits, health, answer };
}

/** What each alert and entry became, by a name. */
function recorder() {
  const became: string[] = [];
  return {
    became,
    alert: (name: string) => (stored: boolean) => became.push(`${name} ${stored ? 'stored' : 'refused'}`),
    entry: (name: string, written: Promise<void>) =>
      void written.then(
        () => became.push(`${name} written`),
        () => became.push(`${name} given up`),
      ),
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('sends what came in one turn as one batch, and what came meanwhile as the next', () => {
  const { writer, sent, commits, answer } = writerOf();
  const { became, alert } = recorder();
  writer.addAlert(sampleAlert(1), alert('one'));
  writer.addAlert(sampleAlert(2), alert('two'));
  void writer.addEntry(closeEntry(2, 'done', 0));
  expect(sent).toEqual([]);
  vi.runAllTicks();
  vi.advanceTimersByTime(0);
  expect(sent).toMatchObject([{ alerts: 2, entries: 1 }]);
  for (let id = 3; id < 11; id++) writer.addAlert(sampleAlert(id), alert(String(id)));
  vi.advanceTimersByTime(1_000);
  expect(sent).toHaveLength(1);
  expect(became).toEqual([]);
  answer(true);
  // Many alerts that wait are on their way before the others are answered.
  expect(sent[1]).toMatchObject({ alerts: 8, entries: 0 });
  expect(became).toEqual(['one stored', 'two stored']);
  expect(commits).toEqual([3]);
  writer.addAlert(sampleAlert(11), alert('eleven'));
  answer(true);
  // With a few goes what comes of the answers in the same turn.
  void writer.addEntry(closeEntry(1, 'done', 0));
  vi.advanceTimersByTime(0);
  expect(sent[2]).toMatchObject({ alerts: 1, entries: 1 });
});

it('lets half of many go ahead under load, but not a few', () => {
  const { writer, sent, answer } = writerOf();
  const { alert } = recorder();
  let id = 0;
  const add = (count: number) => {
    for (let each = 0; each < count; each++) writer.addAlert(sampleAlert(++id), alert(String(id)));
  };
  const batches = () => sent.map(({ alerts }) => alerts);
  const turn = () => vi.advanceTimersByTime(0);
  add(20);
  expect(batches()).toEqual([]);
  turn();
  answer(true);
  add(20);
  expect(batches()).toEqual([20]);
  turn();
  answer(true);
  // Two batches shortly one after the other are load.
  add(9);
  expect(batches()).toEqual([20, 20]);
  add(9);
  expect(batches()).toEqual([20, 20, 10]);
  answer(true);
  expect(batches()).toEqual([20, 20, 10, 8]);
  answer(true);
  add(3);
  expect(batches()).toEqual([20, 20, 10, 8]);
  turn();
  expect(batches()).toEqual([20, 20, 10, 8, 3]);
});

it('refuses the alerts of a failed batch, and tries its entries until they are written', async () => {
  const { writer, sent, health, answer } = writerOf();
  const { became, alert, entry } = recorder();
  writer.addAlert(sampleAlert(1), alert('one'));
  entry('end', writer.addEntry(closeEntry(7, 'done', 0)));
  vi.advanceTimersByTime(0);
  answer(false);
  expect(became).toEqual(['one refused']);
  expect(health).toEqual([[false, 'disk is full']]);
  for (let tries = 2; tries < 8; tries++) {
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toHaveLength(tries);
    expect(sent.at(-1)).toMatchObject({ alerts: 0, entries: 1 });
    answer(false);
  }
  expect(became).toEqual(['one refused']);
  await vi.advanceTimersByTimeAsync(1_000);
  answer(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(became).toEqual(['one refused', 'end written']);
  expect(health).toEqual([
    [false, 'disk is full'],
    [true, ''],
  ]);
});

it('keeps the order of entries when some could not be written, and takes alerts meanwhile', async () => {
  const { writer, sent, answer } = writerOf();
  const { became, alert, entry } = recorder();
  entry('first', writer.addEntry(closeEntry(1, 'done', 0)));
  vi.advanceTimersByTime(0);
  answer(false);
  entry('second', writer.addEntry(closeEntry(2, 'done', 0)));
  writer.addAlert(sampleAlert(3), alert('three'));
  vi.advanceTimersByTime(0);
  expect(sent.at(-1)).toMatchObject({ alerts: 1, entries: 0 });
  // There is room again: the entries need not wait for the end of their pause.
  answer(true);
  vi.advanceTimersByTime(0);
  expect(sent.at(-1)).toMatchObject({ alerts: 0, entries: 2 });
  answer(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(became).toEqual(['three stored', 'first written', 'second written']);
});

it('answers for entries that found room without the alerts', async () => {
  const { writer, health, answer } = writerOf();
  const { became, alert, entry } = recorder();
  writer.addAlert(sampleAlert(1), alert('one'));
  entry('end', writer.addEntry(closeEntry(7, 'done', 0)));
  vi.advanceTimersByTime(0);
  answer(false, true);
  await vi.advanceTimersByTimeAsync(0);
  expect(became).toEqual(['one refused', 'end written']);
  expect(health).toEqual([[false, 'disk is full']]);
});

it('finds out by itself that writing works again when nothing is to be written', async () => {
  const { writer, sent, health, answer } = writerOf();
  writer.addAlert(sampleAlert(1), () => undefined);
  vi.advanceTimersByTime(0);
  answer(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent.at(-1)).toMatchObject({ alerts: 0, entries: 0 });
  answer(true);
  expect(health.at(-1)).toEqual([true, '']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent).toHaveLength(2);
});

it('gives up when it is closed and the disk stays full', async () => {
  const { writer, answer } = writerOf();
  const { became, alert, entry } = recorder();
  entry('end', writer.addEntry(closeEntry(7, 'done', 0)));
  vi.advanceTimersByTime(0);
  answer(false);
  const ended = writer.end();
  vi.advanceTimersByTime(0);
  answer(false);
  await ended;
  writer.addAlert(sampleAlert(2), alert('two'));
  await vi.advanceTimersByTimeAsync(0);
  expect(became).toEqual(['end given up', 'two refused']);
});

it('lets entries go with alerts that come thick and fast, but never for long', async () => {
  const { writer, sent, answer } = writerOf();
  const step = (act: () => void, milliseconds: number) => {
    act();
    vi.advanceTimersByTime(milliseconds);
  };
  const alert = (id: number) => () => writer.addAlert(sampleAlert(id), () => undefined);
  const entry = (id: number) => () => void writer.addEntry(closeEntry(id, 'done', 0));
  // Alone, an entry goes at once.
  step(alert(1), 0);
  step(() => answer(true), 0);
  step(entry(1), 0);
  expect(sent.map(({ alerts, entries }) => [alerts, entries])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  step(() => answer(true), 0);
  step(alert(2), 0);
  step(() => answer(true), 0);
  step(entry(2), 0);
  expect(sent).toHaveLength(3);
  step(alert(3), 0);
  expect(sent.at(-1)).toMatchObject({ alerts: 1, entries: 1 });
  step(() => answer(true), 0);
  step(entry(3), 0);
  expect(sent).toHaveLength(4);
  vi.advanceTimersByTime(1);
  expect(sent.at(-1)).toMatchObject({ alerts: 0, entries: 1 });
});

it('tells of a disk that is nearly full now and then, not with each batch', () => {
  const { writer, sent, health, answer } = writerOf();
  for (let id = 1; id <= 100; id++) {
    writer.addAlert(sampleAlert(id), () => undefined);
    vi.advanceTimersByTime(10);
    answer(id % 2 === 0);
  }
  expect(health).toEqual([
    [false, 'disk is full'],
    [true, ''],
    [false, 'disk is full'],
  ]);
  // Nothing comes any more: it is found out whether writing works.
  const before = sent.length;
  vi.advanceTimersByTime(5_000);
  expect(sent.slice(before)).toMatchObject([{ alerts: 0, entries: 0 }]);
  answer(true);
  expect(health.at(-1)).toEqual([true, '']);
});

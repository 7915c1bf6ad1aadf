import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Arena, ArenaReader } from './arena.ts';

const alerts = fc.array(
  fc.record({
    id: fc.maxSafeNat(),
    at: fc.maxSafeNat(),
    key: fc.string({ unit: 'grapheme' }),
    revision: fc.string({ unit: fc.constantFrom(...'sha256:0ä\n') }),
    rules: fc.array(fc.nat(100_000)),
    traceId: fc.constantFrom('', '0af7651916cd43dd8448eb211c80319c'),
    body: fc.nat(70_000).map((length) => Buffer.alloc(length, 'body')),
  }),
  { maxLength: 8 },
);
const entries = fc.array(
  fc.record({
    kind: fc.constant('close' as const),
    alert: fc.maxSafeNat(),
    at: fc.maxSafeNat(),
    conclusion: fc.record({
      state: fc.constantFrom('done', 'failed', 'parked'),
      reason: fc.string({ unit: 'grapheme' }),
    }),
  }),
);

it('gives back what was put in, whatever the sizes', () => {
  fc.assert(
    fc.property(alerts, entries, (putAlerts, putEntries) => {
      const arena = new Arena();
      for (const alert of putAlerts) arena.addAlert(alert);
      for (const entry of putEntries) arena.addEntry(entry);
      const reader = new ArenaReader(arena.buffer);
      const got = putAlerts.map(() => reader.alert());
      const heads = (rows: readonly { readonly body: Uint8Array }[]) =>
        rows.map((row) => ({ ...row, body: undefined }));
      expect(heads(got)).toEqual(heads(putAlerts.map((alert) => ({ ...alert, rules: alert.rules.join() }))));
      expect(got.every(({ body }, index) => body.equals(putAlerts[index]?.body as Buffer))).toBe(true);
      expect(putEntries.map(() => reader.entry())).toEqual(
        putEntries.map(({ conclusion: { state, reason }, ...entry }) => ({
          ...entry,
          seq: 0,
          text: `${state}\n${reason}`,
        })),
      );
    }),
    { numRuns: 60 },
  );
});

it('counts what is in it, and gives back the end of a plan behind the progress that it came with', () => {
  const arena = new Arena();
  const progress = { kind: 'started', step: 0, attempt: 1 } as const;
  arena.addEntry({ kind: 'progress', alert: 5, seq: 7, at: 9, progress });
  arena.addEntry({ kind: 'progress', alert: 5, seq: 8, at: 9, progress, conclusion: { state: 'failed', reason: 'r' } });
  expect(arena.counts).toEqual({ alerts: 0, entries: 3 });
  const reader = new ArenaReader(arena.buffer);
  const [first, second, third] = [reader.entry(), reader.entry(), reader.entry()];
  expect(first).toEqual({ kind: 'progress', alert: 5, seq: 7, at: 9, text: JSON.stringify(progress) });
  expect(second).toEqual({ ...first, seq: 8 });
  expect(third).toEqual({ kind: 'close', alert: 5, seq: 0, at: 9, text: 'failed\nr' });
});

it('uses a buffer again that came back, but for a very large one', () => {
  const returned = new ArrayBuffer(300_000);
  expect(new Arena(returned).buffer).toBe(returned);
  expect(new Arena(new ArrayBuffer(5_000_000)).buffer.byteLength).toBeLessThan(1_000_000);
});

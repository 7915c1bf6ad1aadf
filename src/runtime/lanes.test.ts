import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lanes } from './lanes.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Lanes', () => {
  it('keeps the order of a lane, runs lanes side by side, and never more than the limit', async () => {
    const tasks = fc.array(fc.record({ lane: fc.constantFrom('a', 'b', 'c', undefined), turns: fc.nat(3) }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(tasks, fc.integer({ min: 1, max: 5 }), async (given, limit) => {
        const lanes = new Lanes({ tasks: 100, bytes: 100, running: limit });
        const started: number[] = [];
        const active = new Set<number>();
        given.forEach(({ lane, turns }, index) => {
          lanes.enter(lane, 1, async () => {
            for (const other of active) expect(lane === undefined || given[other]?.lane !== lane).toBe(true);
            started.push(index);
            active.add(index);
            expect(active.size).toBeLessThanOrEqual(limit);
            for (let each = 0; each < turns; each++) await turn();
            active.delete(index);
          });
        });
        await lanes.idle();
        expect([...started].sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
        for (const lane of ['a', 'b', 'c']) {
          const order = started.filter((index) => given[index]?.lane === lane);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        expect(lanes.size).toBe(0);
      }),
    );
  });

  it('lets a slow lane hold back no other', async () => {
    const lanes = new Lanes({ tasks: 10, bytes: 10, running: 2 });
    let release = () => {};
    const done: string[] = [];
    lanes.enter(
      'slow',
      1,
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    lanes.enter('slow', 1, async () => void done.push('behind'));
    lanes.enter('other', 1, async () => void done.push('other'));
    await turn();
    await turn();
    expect(done).toEqual(['other']);
    release();
    await lanes.idle();
    expect(done).toEqual(['other', 'behind']);
  });

  it('has no room beyond its limits, but always for one', async () => {
    const lanes = new Lanes({ tasks: 2, bytes: 100, running: 2 });
    expect(lanes.hasRoom(1_000)).toBe(true);
    lanes.enter(undefined, 60, turn);
    expect([lanes.hasRoom(40), lanes.hasRoom(41)]).toEqual([true, false]);
    lanes.enter(undefined, 1, turn);
    expect(lanes.hasRoom(0)).toBe(false);
    await lanes.idle();
    expect(lanes.hasRoom(41)).toBe(true);
  });
});

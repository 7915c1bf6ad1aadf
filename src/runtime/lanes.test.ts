import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lanes, type Slot } from './lanes.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const turns = async (count: number) => {
  for (let each = 0; each < count; each++) await turn();
};
const ROOM = { tasks: 100, bytes: 1_000, perLane: 100, running: 100 };

/** Lines a task up that may start at once. */
function enter(lanes: Lanes, keys: readonly string[], run: (slot: Slot) => Promise<void>): void {
  lanes.enter(keys, 1).start(run);
}

describe('Lanes', () => {
  it('keeps the order of every lane, runs others side by side, stays within the limit, and gets through', async () => {
    const task = fc.record({
      keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
      /** Turns until it may start at all, as until it is on disk. */
      late: fc.nat(3),
      before: fc.nat(2),
      waits: fc.nat(3),
      leaves: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(task, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (given, limit) => {
        const lanes = new Lanes({ ...ROOM, running: limit });
        const started: number[] = [];
        const holding = new Set<number>();
        let running = 0;
        const run = (index: number) => async (slot: Slot) => {
          const { keys, before, waits } = given[index] as (typeof given)[number];
          for (const other of holding) {
            expect(given[other]?.keys.some((key) => keys.includes(key))).toBe(false);
          }
          holding.add(index);
          started.push(index);
          expect(++running).toBeLessThanOrEqual(limit);
          await turns(before);
          running--;
          await slot.without(() => turns(waits));
          expect(++running).toBeLessThanOrEqual(limit);
          expect(lanes.running).toBeLessThanOrEqual(limit);
          await turn();
          running--;
          holding.delete(index);
        };
        const entered = given.map(async ({ keys, late, leaves }, index) => {
          const ticket = lanes.enter(keys, 1);
          await turns(late);
          if (leaves) ticket.leave();
          else ticket.start(run(index));
        });
        await Promise.all(entered);
        await lanes.idle();
        const stayed = given.flatMap(({ leaves }, index) => (leaves ? [] : [index]));
        expect([...started].sort((a, b) => a - b)).toEqual(stayed);
        for (const lane of ['a', 'b', 'c', 'd']) {
          const order = started.filter((index) => given[index]?.keys.some((key) => key === lane));
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
        expect([lanes.size, lanes.running]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  it('lets a slow lane hold back no other', async () => {
    const lanes = new Lanes({ ...ROOM, running: 2 });
    let release = () => {};
    const done: string[] = [];
    enter(lanes, ['slow'], () => new Promise((resolve) => (release = resolve)));
    enter(lanes, ['slow'], async () => void done.push('behind'));
    enter(lanes, ['other'], async () => void done.push('other'));
    await turns(3);
    expect(done).toEqual(['other']);
    release();
    await lanes.idle();
    expect(done).toEqual(['other', 'behind']);
  });

  it('gives the place of a task that waits to another, but not its lane', async () => {
    const lanes = new Lanes({ ...ROOM, running: 1 });
    let go = () => {};
    const done: string[] = [];
    enter(lanes, ['pod'], async (slot) => {
      await slot.without(() => new Promise((resolve) => (go = () => resolve(undefined))));
      done.push('waited');
    });
    enter(lanes, ['pod'], async () => void done.push('behind'));
    enter(lanes, ['other'], async () => void done.push('other'));
    await turns(4);
    expect(done).toEqual(['other']);
    go();
    await lanes.idle();
    expect(done).toEqual(['other', 'waited', 'behind']);
  });

  it('runs tasks that wait for nothing in the turn in which they come, but lets others have their turn', async () => {
    const lanes = new Lanes({ tasks: 1_000, bytes: 1_000, perLane: 1, running: 2 });
    let done = 0;
    for (let index = 0; index < 300; index++) enter(lanes, [String(index)], async () => void done++);
    await turn();
    expect(done).toBeGreaterThan(200);
    expect(done).toBeLessThan(300);
    await turn();
    expect(done).toBe(300);
    await lanes.idle();
  });

  it('begins all that may run, however many come at once', async () => {
    const lanes = new Lanes({ tasks: 1_000, bytes: 1_000, perLane: 1, running: 1_000 });
    let begun = 0;
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const wait = () => {
      begun++;
      return ended;
    };
    for (let index = 0; index < 600; index++) enter(lanes, [String(index)], wait);
    await turns(4);
    expect(begun).toBe(600);
    end();
    await lanes.idle();
  });

  it('has no room beyond its limits, but always for one', async () => {
    const lanes = new Lanes({ tasks: 3, bytes: 100, perLane: 2, running: 2 });
    expect(lanes.hasRoom([], 1_000)).toBe(true);
    const first = lanes.enter(['a'], 60);
    expect([lanes.hasRoom(['a'], 40), lanes.hasRoom(['a'], 41)]).toEqual([true, false]);
    const second = lanes.enter(['a', 'b'], 1);
    expect([lanes.hasRoom(['b'], 1), lanes.hasRoom(['a'], 1), lanes.hasRoom(['c', 'a'], 1)]).toEqual([
      true,
      false,
      false,
    ]);
    const third = lanes.enter([], 1);
    expect(lanes.hasRoom(['c'], 0)).toBe(false);
    for (const ticket of [first, second, third]) ticket.leave();
    expect([lanes.size, lanes.hasRoom(['a'], 1_000)]).toEqual([0, true]);
    await lanes.idle();
  });

  it('starts nothing more once it is closed, and is idle when what has started has ended', async () => {
    const lanes = new Lanes({ ...ROOM, running: 1 });
    const done: string[] = [];
    enter(lanes, ['a'], async (slot) => {
      await slot.without(() => turns(3));
      done.push('running');
    });
    enter(lanes, ['a'], async () => void done.push('behind'));
    await turns(2);
    lanes.close();
    enter(lanes, [], async () => void done.push('late'));
    await lanes.idle();
    await turns(3);
    expect(done).toEqual(['running']);
  });
});

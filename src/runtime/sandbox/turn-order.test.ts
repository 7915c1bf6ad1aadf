import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TURN_TIMES, TurnOrder } from './turn-order.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const turnOf = (plugin: string) => ({ plugin, run: async () => undefined });

/** Lets the plug-ins wait for a turn, and tells in which order they get it, and for how long. */
function served(order: TurnOrder, ...plugins: readonly string[]): readonly (readonly [string, number])[] {
  for (const plugin of plugins) order.add(turnOf(plugin));
  return plugins.map(() => {
    const next = order.next();
    return [next?.turn.plugin ?? '', next?.milliseconds ?? 0];
  });
}
const { turn, shortTurn, memory } = TURN_TIMES;

it('serves in the order of arrival as long as nothing happens', () => {
  const order = new TurnOrder(TURN_TIMES);
  expect(served(order, 'a', 'b', 'a')).toEqual([
    ['a', turn],
    ['b', turn],
    ['a', turn],
  ]);
  expect(order.next()).toBeUndefined();
});

it('serves those first that have ended well, and those last that used up a turn', () => {
  const order = new TurnOrder(TURN_TIMES);
  order.ended('good');
  order.offended('bad');
  expect(served(order, 'bad', 'new', 'good', 'bad')).toEqual([
    ['good', turn],
    ['new', shortTurn],
    ['bad', shortTurn],
    ['bad', shortTurn],
  ]);
});

it('forgets, but not because of one good step', () => {
  const order = new TurnOrder(TURN_TIMES);
  order.offended('a');
  order.ended('a');
  expect(served(order, 'a', 'b')).toEqual([
    ['b', shortTurn],
    ['a', shortTurn],
  ]);
  vi.advanceTimersByTime(memory + 1);
  expect(served(order, 'a', 'b')).toEqual([
    ['a', turn],
    ['b', turn],
  ]);
});

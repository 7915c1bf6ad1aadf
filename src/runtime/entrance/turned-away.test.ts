import { describe, expect, it } from 'vitest';
import type { Transition } from '../../model/transition.ts';
import { TurnedAway } from './turned-away.ts';

describe('TurnedAway', () => {
  it('tells of the first at once, and of a flood once a minute', () => {
    let now = 0;
    const told: Transition[] = [];
    const telemetry = { emit: (transition: Transition) => told.push(transition), accepted: () => undefined };
    const turnedAway = new TurnedAway(telemetry, () => now);
    const flood = (times: number) => {
      for (let time = 0; time < times; time++) turnedAway.note('unauthorized', `10.0.0.${time % 200}`);
    };
    flood(100_000);
    expect(told).toEqual([{ kind: 'turned_away', reason: 'unauthorized', times: 1, address: '10.0.0.0' }]);
    now = 59_999;
    flood(1);
    expect(told).toHaveLength(1);
    now = 60_000;
    flood(50);
    expect(told.slice(1)).toEqual([
      { kind: 'turned_away', reason: 'unauthorized', times: 100_001, address: '10.0.0.0' },
    ]);
    turnedAway.note('rate', '10.0.0.9');
    expect(told.at(-1)).toEqual({ kind: 'turned_away', reason: 'rate', times: 1, address: '10.0.0.9' });
  });
});

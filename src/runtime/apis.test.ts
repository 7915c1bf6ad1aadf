import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DoorError } from '../model/door-error.ts';
import type { Adapters } from '../model/door-row.ts';
import type { Transition } from '../model/transition.ts';
import { Apis, guardAdapters, guardLookups, NotAsked } from './apis.ts';

const API = ['kubernetes'] as const;
const never = new AbortController().signal;

/** An API that can be away, and the breaker before it. */
class Outside {
  readonly told: Transition[] = [];
  readonly apis = new Apis((transition) => void this.told.push(transition));
  away = false;
  asked = 0;

  call(code: 'unreachable' | 'busy' = 'unreachable', signal = never): Promise<string> {
    return this.apis.call('kubernetes', signal, async () => {
      this.asked++;
      if (this.away) throw new DoorError(code, code);
      return 'answer';
    });
  }

  /** Calls in a row that fail. */
  async fail(times: number, ...given: Parameters<Outside['call']>): Promise<void> {
    for (let each = 0; each < times; each++) await this.call(...given).catch(() => undefined);
  }
}

describe('Apis', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('hands answers and errors on', async () => {
    const outside = new Outside();
    expect(await outside.call()).toBe('answer');
    outside.away = true;
    await expect(outside.call('busy')).rejects.toMatchObject({ code: 'busy' });
    await expect(outside.call()).rejects.toMatchObject({ code: 'unreachable', message: 'unreachable' });
    expect(outside.apis.silent(API)).toBe(false);
  });

  it('asks nothing once there was no answer several times in a row, and says so once', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    expect(outside.apis.silent(API)).toBe(true);
    expect([...outside.apis.states()]).toEqual([{ api: 'kubernetes', open: true }]);
    await expect(outside.call()).rejects.toBeInstanceOf(NotAsked);
    expect(outside.asked).toBe(5);
    vi.advanceTimersByTime(30_000);
    await outside.fail(1);
    expect(outside.asked).toBe(6);
    expect(outside.told).toEqual([{ kind: 'breaker', api: 'kubernetes', open: true }]);
  });

  it('does not hold answers against an API, nor what was given up here', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(20, 'busy');
    await outside.fail(20, 'unreachable', AbortSignal.abort());
    expect(outside.apis.silent(API)).toBe(false);
  });

  it('lets one step at a time look, and all go on once there is an answer', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    const looks: number[] = [];
    const steps = [0, 1, 2, 3].map(async (index) => {
      for (;;) {
        await outside.apis.ready(API, never);
        looks.push(index);
        if (await outside.call().catch(() => undefined)) return;
      }
    });
    await vi.advanceTimersByTimeAsync(3_500);
    expect(looks).toEqual([0, 1, 2]);
    outside.away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await Promise.all(steps);
    expect(looks.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(looks.slice(4).sort()).toEqual([0, 1, 2]);
    expect(outside.told.at(-1)).toEqual({ kind: 'breaker', api: 'kubernetes', open: false });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not take a look that was given up for an answer, however long it lasted', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    await vi.advanceTimersByTimeAsync(1_000);
    const given = new AbortController();
    let giveUp: () => void = () => undefined;
    const look = outside.apis.call('kubernetes', given.signal, () => {
      return new Promise((_, reject) => {
        giveUp = () => reject(new DoorError('unreachable', 'aborted'));
      });
    });
    // Nobody waits for what that one finds out, in a place that others could have.
    await vi.advanceTimersByTimeAsync(20_000);
    await expect(outside.call()).rejects.toBeInstanceOf(NotAsked);
    given.abort();
    giveUp();
    await expect(look).rejects.toThrow('aborted');
    expect(outside.apis.silent(API)).toBe(true);
    outside.away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outside.call()).toBe('answer');
    expect(outside.told.map((each) => each.kind === 'breaker' && each.open)).toEqual([true, false]);
  });

  it('looks again in time when the clock is set back', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    outside.away = false;
    vi.setSystemTime(Date.now() - 3_600_000);
    const step = outside.apis.ready(API, never).then(() => outside.call());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await step).toBe('answer');
  });

  it('goes on looking when the one that should look does not ask', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    outside.away = false;
    const idle = outside.apis.ready(API, never);
    const step = outside.apis.ready(API, never).then(() => outside.call());
    await vi.advanceTimersByTimeAsync(2_000);
    await idle;
    expect(await step).toBe('answer');
  });

  it('ends a wait with its signal', async () => {
    const outside = new Outside();
    outside.away = true;
    await outside.fail(5);
    const controller = new AbortController();
    const wait = outside.apis.ready(API, controller.signal);
    controller.abort(new Error('the server is stopped'));
    await expect(wait).rejects.toThrow('the server is stopped');
    await expect(outside.apis.ready(API, controller.signal)).rejects.toThrow('the server is stopped');
  });

  it('stands before all doors and before what guards look up', async () => {
    const away = async () => {
      throw new DoorError('unreachable', 'no answer');
    };
    const apis = new Apis(() => undefined);
    const doors = guardAdapters({ 'pods.label': away } as unknown as Adapters, apis);
    const lookups = guardLookups({ pod: away, node: away }, apis);
    const pod = { kind: 'pod', namespace: 'shop', name: 'web' } as const;
    for (let each = 0; each < 5; each++) await doors['pods.label'](pod, {}, never).catch(() => undefined);
    await expect(lookups.pod(pod, never)).rejects.toBeInstanceOf(NotAsked);
    await expect(doors['pods.label'](pod, {}, never)).rejects.toBeInstanceOf(NotAsked);
  });
});

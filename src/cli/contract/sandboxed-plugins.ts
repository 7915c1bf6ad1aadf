import { afterAll } from 'vitest';
import type { Door } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { FailureCode } from '../../model/outcome.ts';
import { createExecutor, type Executor } from '../../runtime/plugins/execute.ts';
import { fakeAdapters } from '../../runtime/plugins/executor-fixture.ts';
import { pluginScripts } from '../plugins/plugin-scripts.gen.ts';
import { workerStart } from '../worker-file.ts';
import { GOOD_WORLD } from './good-world.ts';

/** What one door does in place of a good answer. */
export type Twist = { readonly fails: FailureCode } | 'hangs';

/** How a door fails: in words that must come through. */
export const WORDS = 'the other side says no';
export const RETRY_AFTER = 7_000;

/** For tests: an executor with the real scripts in the real sandbox, and doors that answer well, but for those that are twisted. */
export class SandboxedPlugins {
  readonly executor: Executor;
  /** Calls since the last `reset`: the door and its arguments. */
  readonly calls: (readonly unknown[])[] = [];
  #twists: Partial<Record<Door, Twist>> = {};

  constructor() {
    const { adapters } = fakeAdapters({}, GOOD_WORLD);
    this.executor = createExecutor({
      adapters: this.#twistable(adapters),
      scripts: pluginScripts,
      worker: workerStart('sandbox'),
      heartbeat: { silence: 20_000 },
    });
    afterAll(() => this.executor.end());
  }

  /** Forgets the calls; from now on these doors do otherwise. */
  reset(twists: Partial<Record<Door, Twist>> = {}): void {
    this.calls.length = 0;
    this.#twists = twists;
  }

  /** The doors that were opened, each once. */
  get opened(): readonly Door[] {
    return [...new Set(this.calls.map(([door]) => door as Door))];
  }

  #twistable(adapters: Adapters): Adapters {
    const doors = (Object.keys(DOORS) as Door[]).map((door) => [
      door,
      (...given: unknown[]) => {
        this.calls.push([door, ...given.slice(0, -1)]);
        const twist = this.#twists[door];
        if (twist === 'hangs') return new Promise(() => undefined);
        if (twist) return Promise.reject(new DoorError(twist.fails, WORDS, { retryAfterMs: RETRY_AFTER }));
        return (adapters[door] as (...all: unknown[]) => Promise<unknown>)(...given);
      },
    ]);
    return Object.fromEntries(doors);
  }
}

import type { CallAnswer, GuestEnd, GuestMessage, StepInput } from './messages.ts';

/**
 * The program that every context starts with; the script of a plug-in comes after it. It turns the doors of the plug-in into
 * messages and answers into settled promises. It guards nothing: code that tampers with it lies about itself alone.
 */

/** What the host puts into the global object of a context and what this program leaves there for it. */
interface Surroundings {
  __send?: (message: string) => void;
  /** JSON of the alert. */
  __event?: () => string;
  __deliver?: (message: string) => void;
  /** Called by the script of the plug-in, which begins the step. */
  __define?: (run: Run) => void;
  Date: DateConstructor;
}
type Run = (given: object) => unknown;

interface OpenCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const surroundings = globalThis as unknown as Surroundings;
const { __send: post, __event: askForEvent } = surroundings;
delete surroundings.__send;
delete surroundings.__event;
/** Which call an error comes from. */
const failures = new WeakMap<object, number>();
const open = new Map<number, OpenCall>();
let input: StepInput | undefined;
let calls = 0;

function say(message: GuestMessage): void {
  post?.(JSON.stringify(message));
}

function ask(door: string, given: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = calls++;
    open.set(call, { resolve, reject });
    say({ kind: 'call', call, door, given: JSON.stringify(given) });
  });
}

function end(how: GuestEnd): void {
  say({ kind: 'end', end: JSON.stringify(how) });
}

function fail(error: unknown): void {
  const { name, code, objects, retryAfterMs, message } = (error ?? {}) as Partial<
    Record<'name' | 'code' | 'objects' | 'retryAfterMs' | 'message', unknown>
  >;
  const call = typeof error === 'object' && error !== null ? failures.get(error) : undefined;
  end({
    error: String(message ?? error).slice(0, 4_000),
    ...(call === undefined ? {} : { call }),
    ...(name === 'DoorError' ? { code: String(code), objects, retryAfterMs } : {}),
    ...(name === 'InternalError' || !error ? { limit: true } : {}),
  });
}

surroundings.__define = (run) => {
  delete surroundings.__define;
  if (!input) return;
  const { uses } = input;
  const use = Object.fromEntries(uses.map((door) => [door, (...given: unknown[]) => ask(door, given)]));
  const sleep = (milliseconds: number) => ask('sleep', [milliseconds]);
  const all = {
    // The script makes an alert of it, if its plug-in looks at alerts at all: few do, and they may be large.
    get event() {
      return askForEvent?.();
    },
    ...{ ...input.given, use, sleep },
  };
  Promise.resolve()
    .then(() => run(all))
    .then((result) => end({ result }))
    .catch(fail);
};

surroundings.__deliver = (message) => {
  const received = JSON.parse(message) as StepInput | CallAnswer;
  if (!('call' in received)) {
    input = received;
    stopClock(received.now);
    seedRandom(received.seed);
    return;
  }
  const waiting = open.get(received.call);
  open.delete(received.call);
  if (!('error' in received)) {
    waiting?.resolve(received.value);
    return;
  }
  const { code } = received;
  const error = Object.assign(new Error(received.error), code && { code });
  failures.set(error, received.call);
  waiting?.reject(error);
};

/** A step that is run again must do the same, so its clock stands still. */
function stopClock(now: number): void {
  const Clock = surroundings.Date;
  surroundings.Date = new Proxy(Clock, {
    construct: (_, given) => (given.length === 0 ? new Clock(now) : Reflect.construct(Clock, given)),
    apply: () => new Clock(now).toString(),
  });
  Clock.now = () => now;
  Clock.prototype.constructor = surroundings.Date;
}

/** mulberry32: small, and the same numbers for the same seed. */
function seedRandom(seed: number): void {
  let state = seed;
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// What these tell depends on when memory is collected, or on other threads.
for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics']) {
  delete (globalThis as unknown as Record<string, unknown>)[name];
}

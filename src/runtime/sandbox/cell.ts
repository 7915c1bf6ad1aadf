import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten-core';
import { GUEST_RUNNER } from './guest-runner.gen.ts';
import type { DoorCall, GuestMessage, StepLimits, StepTexts } from './messages.ts';
import { TurnClock } from './turn-clock.ts';

/** Bytes of one allocation. All of them together have to fit into the WebAssembly memory of the cell. */
const LARGEST_ALLOCATION = 8 << 20;
const STACK_BYTES = 256 << 10;
/** Promise jobs between two looks at the clock: a loop of `await` never comes to an interrupt. */
const JOBS_AT_ONCE = 64;
/** A context that cannot have so many bytes more has none left. */
const SPARE_MEMORY = 128 << 10;
const LONGEST_DOOR = 100;
const LONGEST_REASON = 2_000;

/** What became of a turn. */
export interface Turn {
  readonly calls: readonly DoorCall[];
  /** JSON of a GuestEnd. */
  readonly end?: string;
  /** The host has to end the step: what it did wrong. */
  readonly cut?: { readonly code: 'limit' | 'bug'; readonly reason: string };
}

/** A context for one step: the code of one plug-in and its memory, with one way in and one way out for texts. */
export class Cell {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #deliver: QuickJSHandle;
  readonly #clock: TurnClock;
  readonly #limits: StepLimits;
  /** Lengths of the calls that wait for an answer. */
  readonly #waiting = new Map<number, number>();
  #outstanding = 0;
  #counted = 0;
  #calls: DoorCall[] = [];
  #event = '';
  #end: string | undefined;
  #fault: string | undefined;
  #broken: string | undefined;
  #interrupted = false;

  constructor(quickjs: QuickJSWASMModule, limits: StepLimits, allTurns: number) {
    this.#limits = limits;
    this.#clock = new TurnClock(allTurns);
    this.#runtime = quickjs.newRuntime();
    this.#runtime.setMemoryLimit(LARGEST_ALLOCATION);
    this.#runtime.setMaxStackSize(STACK_BYTES);
    this.#runtime.setInterruptHandler(() => {
      this.#interrupted ||= this.#clock.poll();
      return this.#interrupted || this.#fault !== undefined;
    });
    this.#context = this.#runtime.newContext();
    const context = this.#context;
    this.#expose('__send', (message) => {
      this.#hear(message && context.getString(message));
      return undefined;
    });
    this.#expose('__event', () => context.newString(this.#event));
    context.unwrapResult(context.evalCode(GUEST_RUNNER, 'runner.js')).dispose();
    this.#deliver = context.getProp(context.global, '__deliver');
  }

  /** The first turn: the input, then the script. */
  begin(script: string, name: string, { input, event }: StepTexts, milliseconds: number): Turn {
    this.#event = event;
    return this.#turn(milliseconds, () => {
      this.#say(input);
      this.#settle(this.#context.evalCode(script, name));
    });
  }

  /** A turn with the answer to a call. */
  answer(call: number, answer: string, milliseconds: number): Turn {
    this.#outstanding -= this.#waiting.get(call) ?? 0;
    this.#waiting.delete(call);
    return this.#turn(milliseconds, () => this.#say(answer));
  }

  dispose(): void {
    this.#deliver.dispose();
    this.#context.dispose();
    this.#runtime.dispose();
  }

  #expose(name: string, act: (given?: QuickJSHandle) => QuickJSHandle | undefined): void {
    this.#context.newFunction(name, act).consume((handle) => this.#context.setProp(this.#context.global, name, handle));
  }

  #turn(milliseconds: number, act: () => void): Turn {
    this.#calls = [];
    this.#clock.begin(milliseconds);
    try {
      this.#work(act);
      return this.#verdict();
    } catch (error) {
      // The code may have brought QuickJS itself down: no memory for a text, no stack, an error that cannot be read.
      const reason = error instanceof Error ? error.message : String(error);
      return cutTurn('limit', `its context broke down: ${reason.slice(0, LONGEST_REASON)}`);
    } finally {
      this.#clock.end();
    }
  }

  #work(act: () => void): void {
    act();
    while (!this.#interrupted && !this.#fault && this.#runtime.hasPendingJob()) {
      const done = this.#runtime.executePendingJobs(JOBS_AT_ONCE);
      done.dispose();
      this.#interrupted ||= this.#clock.poll();
    }
  }

  #verdict(): Turn {
    if (this.#fault !== undefined) return cutTurn('limit', this.#fault);
    if (this.#interrupted) return cutTurn('limit', 'it used more time in one turn, or in all, than it may');
    if (this.#end !== undefined) return { calls: this.#calls, end: this.#end };
    if (this.#broken === undefined && this.#waiting.size > 0) return { calls: this.#calls };
    if (this.#isOutOfMemory()) return cutTurn('limit', 'it used more memory than it may');
    // Nothing can wake it up any more.
    return cutTurn('bug', this.#broken ?? 'it neither ended nor waits for anything');
  }

  #say(text: string): void {
    this.#context
      .newString(text)
      .consume((message) => this.#settle(this.#context.callFunction(this.#deliver, this.#context.undefined, message)));
  }

  #settle(result: ReturnType<QuickJSContext['callFunction']>): void {
    if (result.error) {
      const thrown: unknown = this.#context.dump(result.error);
      this.#broken ??= String((thrown as Error | null)?.message ?? thrown).slice(0, LONGEST_REASON);
    }
    result.dispose();
  }

  /** What the code in the context says. A throw here is an exception there. */
  #hear(text = ''): void {
    if (this.#end !== undefined || this.#fault !== undefined) return;
    if (text.length > this.#limits.message) this.#overstep('it sent a message that is too long');
    const message = JSON.parse(text) as GuestMessage;
    if (message.kind === 'end') {
      this.#end = String(message.end);
      return;
    }
    const call = Number(message.call);
    const given = String(message.given);
    if (!Number.isSafeInteger(call) || this.#waiting.has(call)) throw new Error('a call has a number of its own');
    this.#waiting.set(call, given.length);
    this.#outstanding += given.length;
    this.#calls.push({ call, door: String(message.door).slice(0, LONGEST_DOOR), given });
    const { openCalls, waitingCalls, calls, outstanding } = this.#limits;
    if (++this.#counted > calls) this.#overstep('it made too many calls');
    if (this.#waiting.size > openCalls + waitingCalls || this.#outstanding > outstanding) {
      this.#overstep('it made too many calls at once');
    }
  }

  #overstep(fault: string): never {
    this.#fault = fault;
    throw new Error(fault);
  }

  #isOutOfMemory(): boolean {
    const probe = this.#context.evalCode(`new ArrayBuffer(${SPARE_MEMORY}); 0`, 'probe.js');
    const failed = probe.error !== undefined;
    probe.dispose();
    return failed;
  }
}

function cutTurn(code: 'limit' | 'bug', reason: string): Turn {
  return { calls: [], cut: { code, reason } };
}

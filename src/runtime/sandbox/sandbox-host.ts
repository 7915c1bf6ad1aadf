import type { Turn } from './cell.ts';
import { CellStore, type StoredCell } from './cell-store.ts';
import type { FromSandbox, StepLimits, ToSandbox } from './messages.ts';
import { TurnOrder, type TurnTimes } from './turn-order.ts';

/** What the thread of the sandbox is given at its start. */
export interface SandboxData {
  /** Scripts of the plug-ins, by id. */
  readonly scripts: ReadonlyMap<string, string>;
  /** One number, shared: the step that has the thread, or 0. The main thread can read it while the thread is in a loop. */
  readonly current: SharedArrayBuffer;
  readonly suspects: readonly string[];
  readonly limits: StepLimits;
  readonly times: TurnTimes;
  /** Milliseconds of all turns of a step together. */
  readonly allTurns: number;
}

interface LiveStep extends StoredCell {
  readonly step: number;
  readonly plugin: string;
}

/** The side of the sandbox that runs in its thread: gives steps their cells and their turns. */
export class SandboxHost {
  readonly #data: SandboxData;
  readonly #post: (message: FromSandbox) => void;
  readonly #store: CellStore;
  readonly #order: TurnOrder;
  readonly #current: Int32Array;
  readonly #steps = new Map<number, LiveStep>();
  /** Steps that wait for their cell. */
  readonly #starting = new Set<number>();
  #pumping = false;

  private constructor(data: SandboxData, post: (message: FromSandbox) => void, store: CellStore) {
    this.#data = data;
    this.#post = post;
    this.#store = store;
    this.#order = new TurnOrder(data.times, data.suspects);
    this.#current = new Int32Array(data.current);
  }

  /** Resolves when steps can be started, and says so. */
  static async open(data: SandboxData, post: (message: FromSandbox) => void): Promise<SandboxHost> {
    const store = await CellStore.open(data.limits, data.allTurns);
    post({ kind: 'ready' });
    return new SandboxHost(data, post, store);
  }

  receive(message: ToSandbox): void {
    switch (message.kind) {
      case 'ping':
        this.#post({ kind: 'pong', number: message.number });
        return;
      case 'start':
        void this.#start(message);
        return;
      case 'answer':
        this.#answer(message);
        return;
      case 'abort':
        this.#starting.delete(message.step);
        this.#end(message.step, false);
    }
  }

  async #start({ step, plugin, input }: Extract<ToSandbox, { kind: 'start' }>): Promise<void> {
    this.#starting.add(step);
    const taken = this.#store.take();
    const stored = taken instanceof Promise ? await taken : taken;
    if (!this.#starting.delete(step)) {
      this.#store.giveBack(stored, true);
      return;
    }
    this.#steps.set(step, { ...stored, step, plugin });
    const script = this.#data.scripts.get(plugin) ?? '';
    this.#enqueue(step, plugin, ({ cell }, milliseconds) => cell.begin(script, plugin, input, milliseconds));
  }

  #answer({ step, call, answer }: Extract<ToSandbox, { kind: 'answer' }>): void {
    const live = this.#steps.get(step);
    if (live) this.#enqueue(step, live.plugin, ({ cell }, milliseconds) => cell.answer(call, answer, milliseconds));
  }

  #enqueue(step: number, plugin: string, act: (live: LiveStep, milliseconds: number) => Turn): void {
    const run = (milliseconds: number) => {
      const live = this.#steps.get(step);
      if (!live) return;
      this.#current[0] = step;
      const turn = act(live, milliseconds);
      this.#current[0] = 0;
      this.#report(live, turn);
    };
    this.#order.add({ plugin, run });
    this.#pumpSoon();
  }

  /** One turn for each turn of the event loop: pings and steps that are in no hurry get in between. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const next = this.#order.next();
      if (!next) return;
      next.turn.run(next.milliseconds);
      this.#pumpSoon();
    });
  }

  #report({ step, plugin }: LiveStep, { calls, end, cut }: Turn): void {
    if (cut) {
      if (cut.code === 'limit') this.#order.offended(plugin);
      this.#post({ kind: 'cut', step, ...cut });
    } else if (end !== undefined || calls.length > 0) {
      this.#post({ kind: 'turn', step, calls, ...(end === undefined ? {} : { end }) });
    }
    if (end !== undefined) this.#order.ended(plugin);
    if (cut || end !== undefined) this.#end(step, !cut);
  }

  #end(step: number, clean: boolean): void {
    const live = this.#steps.get(step);
    if (!live) return;
    this.#steps.delete(step);
    this.#store.giveBack(live, clean);
  }
}

import type { Cell, Turn } from './cell.ts';
import { CellStore, type StoredCell } from './cell-store.ts';
import type { FromSandbox, StepLimits, ToSandbox } from './messages.ts';
import { TurnOrder, type TurnTimes } from './turn-order.ts';

/** What the thread of the sandbox is given at its start. */
export interface SandboxData {
  /** Scripts of the plug-ins, by id. */
  readonly scripts: ReadonlyMap<string, string>;
  /** One number, shared: the step that has the thread, or 0. The main thread can read it while the thread is in a loop. */
  readonly current: SharedArrayBuffer;
  readonly limits: StepLimits;
  readonly times: TurnTimes;
  /** Milliseconds of all turns of a step together. */
  readonly allTurns: number;
}

interface LiveStep {
  readonly step: number;
  readonly plugin: string;
  /** From its first turn on. */
  stored?: StoredCell;
}

/** The side of the sandbox that runs in its thread: gives steps their cells and their turns. */
export class SandboxHost {
  readonly #data: SandboxData;
  readonly #post: (message: FromSandbox) => void;
  readonly #store: CellStore;
  readonly #order: TurnOrder;
  readonly #current: Int32Array;
  readonly #steps = new Map<number, LiveStep>();
  #isPumping = false;

  private constructor(data: SandboxData, post: (message: FromSandbox) => void, store: CellStore) {
    this.#data = data;
    this.#post = post;
    this.#store = store;
    this.#order = new TurnOrder(data.times);
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
        this.#start(message);
        return;
      case 'answer':
        this.#answer(message);
        return;
      case 'abort':
        this.#end(message.step, false);
    }
  }

  #start({ step, plugin, input, event }: Extract<ToSandbox, { kind: 'start' }>): void {
    this.#steps.set(step, { step, plugin });
    const script = this.#data.scripts.get(plugin) ?? '';
    this.#enqueue(step, (cell, milliseconds) => cell.begin(script, plugin, { input, event }, milliseconds));
  }

  #answer({ step, call, answer }: Extract<ToSandbox, { kind: 'answer' }>): void {
    this.#enqueue(step, (cell, milliseconds) => cell.answer(call, answer, milliseconds));
  }

  #enqueue(step: number, act: (cell: Cell, milliseconds: number) => Turn): void {
    const live = this.#steps.get(step);
    if (!live) return;
    const run = async (milliseconds: number) => {
      const cell = await this.#cellOf(live);
      if (!cell) return;
      this.#current[0] = step;
      const turn = act(cell, milliseconds);
      this.#current[0] = 0;
      this.#report(live, turn);
    };
    this.#order.add({ plugin: live.plugin, run });
    this.#pumpSoon();
  }

  /** The cell of a step; undefined when it was given up. */
  async #cellOf(live: LiveStep): Promise<Cell | undefined> {
    if (!this.#steps.has(live.step)) return undefined;
    if (live.stored) return live.stored.cell;
    const stored = await this.#store.take();
    if (!this.#steps.has(live.step)) {
      this.#store.giveBack(stored, true);
      return undefined;
    }
    live.stored = stored;
    return stored.cell;
  }

  /** One turn for each turn of the event loop: pings and steps that are in no hurry get in between. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    const next = this.#order.next();
    await next?.turn.run(next.milliseconds);
    this.#isPumping = false;
    if (next) this.#pumpSoon();
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
    const stored = this.#steps.get(step)?.stored;
    this.#steps.delete(step);
    if (stored) this.#store.giveBack(stored, clean);
  }
}

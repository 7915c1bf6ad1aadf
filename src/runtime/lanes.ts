export interface LaneLimits {
  /** Tasks that are waiting or running. */
  readonly tasks: number;
  /** Bytes that they keep, as told with each. */
  readonly bytes: number;
  /** Tasks in one lane. */
  readonly perLane: number;
  /** Tasks that run side by side. */
  readonly running: number;
}

/** What a running task holds: one of the places for tasks that run side by side. */
export interface Slot {
  /** Gives the place to another task while waiting, and takes one again before it returns. The lanes stay held. */
  without<T>(wait: () => Promise<T>): Promise<T>;
  /** Gives the place away for good: the task only finishes what needs none. */
  release(): void;
}

/** A place in line, in all lanes of a task at once. */
export interface Ticket {
  /** Runs the task when it is its turn, in a later turn of the event loop. It must not reject. */
  start(task: (slot: Slot) => Promise<void>): void;
  /** Leaves the line before it has started. */
  leave(): void;
}

interface Task {
  readonly lanes: readonly string[];
  readonly bytes: number;
  /** Absent until the task may start at all. */
  run?: (slot: Slot) => Promise<void>;
}

/** Tasks that begin or go on in one turn of the event loop, where none of them has to wait: others want their turn, too. */
const MOST_IN_A_TURN = 256;

/** Something that wants a place among those that run: a task that begins, or one that has waited for something. */
interface Claim {
  readonly begins: boolean;
  readonly take: () => void;
}

/**
 * Runs tasks side by side, but those of one lane one after the other, in the order in which they entered. A task may be in
 * several lanes; it lines up in all of them in one go, and runs once it is the first in each. So no two tasks ever wait for
 * each other: of any two, the one that entered first waits for no lane of the other. Bounded in number and bytes, as a whole
 * and for each lane.
 */
export class Lanes {
  readonly #limits: LaneLimits;
  /** Tasks by lane, the one that runs or may run first. */
  readonly #lines = new Map<string, Task[]>();
  #claims: Claim[] = [];
  #isScheduled = false;
  /** Claims that may still be served in this turn. */
  #left = 0;
  #tasks = 0;
  #bytes = 0;
  #started = 0;
  #running = 0;
  #closed = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Tasks that are in line or have started. */
  get size(): number {
    return this.#tasks;
  }

  /** Bytes that those keep. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tasks that hold a place among those that run. */
  get running(): number {
    return this.#running;
  }

  /** Whether a task that keeps that many bytes may enter. A single task always may, however large. */
  hasRoom(lanes: readonly string[], bytes: number): boolean {
    const { tasks, bytes: most, perLane } = this.#limits;
    if (this.#tasks === 0) return true;
    if (this.#tasks >= tasks || this.#bytes + bytes > most) return false;
    return lanes.every((lane) => (this.#lines.get(lane)?.length ?? 0) < perLane);
  }

  /** Takes a place in line, whether there is room or not. */
  enter(lanes: readonly string[], bytes: number): Ticket {
    const task: Task = { lanes: [...new Set(lanes)], bytes };
    this.#tasks++;
    this.#bytes += bytes;
    for (const lane of task.lanes) {
      const line = this.#lines.get(lane);
      if (line) line.push(task);
      else this.#lines.set(lane, [task]);
    }
    return {
      start: (run) => {
        task.run = run;
        this.#claimIfFirst(task);
      },
      leave: () => this.#end(task),
    };
  }

  /** Starts no more tasks. Those that have started go on. */
  close(): void {
    this.#closed = true;
    this.#claims = this.#claims.filter(({ begins }) => !begins);
    this.#tellIfIdle();
  }

  /** Resolves when no task is left; after `close`, when none is left that has started. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#tellIfIdle();
    });
  }

  #claimIfFirst(task: Task): void {
    const { run } = task;
    if (!run || this.#closed) return;
    if (!task.lanes.every((lane) => this.#lines.get(lane)?.[0] === task)) return;
    this.#claim({ begins: true, take: () => this.#begin(task, run) });
  }

  #claim(claim: Claim): void {
    this.#claims.push(claim);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#claims.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#left = MOST_IN_A_TURN;
      this.#serve();
    });
  }

  #serve(): void {
    const free = Math.min(this.#limits.running - this.#running, this.#left);
    const served = this.#claims.splice(0, free);
    this.#running += served.length;
    this.#left -= served.length;
    for (const { take } of served) take();
    if (this.#left === 0) this.#schedule();
  }

  /** Tasks that need not wait for anything would else begin by as many as may run, and alerts come in by more in a turn. */
  #free(): void {
    this.#running--;
    if (this.#left === 0) this.#schedule();
    else if (this.#claims.length > 0) queueMicrotask(() => this.#serve());
  }

  #begin(task: Task, run: (slot: Slot) => Promise<void>): void {
    let holds = true;
    const release = () => {
      if (!holds) return;
      holds = false;
      this.#free();
    };
    const slot: Slot = {
      release,
      without: async (wait) => {
        release();
        try {
          return await wait();
        } finally {
          await new Promise<void>((resolve) => this.#claim({ begins: false, take: resolve }));
          holds = true;
        }
      },
    };
    this.#started++;
    void run(slot).finally(() => {
      release();
      this.#started--;
      this.#end(task);
    });
  }

  #end(task: Task): void {
    this.#tasks--;
    this.#bytes -= task.bytes;
    for (const lane of task.lanes) this.#leaveLane(lane, task);
    this.#tellIfIdle();
  }

  #leaveLane(lane: string, task: Task): void {
    const line = this.#lines.get(lane) ?? [];
    const place = line.indexOf(task);
    line.splice(place, 1);
    const [first] = line;
    if (!first) this.#lines.delete(lane);
    else if (place === 0) this.#claimIfFirst(first);
  }

  #tellIfIdle(): void {
    if ((this.#closed ? this.#started : this.#tasks) > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

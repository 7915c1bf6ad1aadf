export interface LaneLimits {
  /** Tasks that are waiting or running. */
  readonly tasks: number;
  /** Bytes that they keep, as told with each. */
  readonly bytes: number;
  /** Tasks that run side by side. */
  readonly running: number;
}

interface Task {
  readonly lane: string | undefined;
  readonly bytes: number;
  readonly run: () => Promise<void>;
}

/**
 * Runs tasks side by side, but those of one lane one after the other, in the order in which they came. Bounded in number and
 * bytes: what would go beyond is refused.
 */
export class Lanes {
  readonly #limits: LaneLimits;
  /** Tasks behind the one that runs or is ready, by lane. */
  readonly #behind = new Map<string, Task[]>();
  readonly #ready: Task[] = [];
  #scheduled = false;
  #tasks = 0;
  #bytes = 0;
  #running = 0;
  readonly #whenIdle: (() => void)[] = [];

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Tasks that are waiting or running. */
  get size(): number {
    return this.#tasks;
  }

  /** Whether a task that keeps that many bytes may enter. A single task always may, however large. */
  hasRoom(bytes: number): boolean {
    if (this.#tasks === 0) return true;
    return this.#tasks < this.#limits.tasks && this.#bytes + bytes <= this.#limits.bytes;
  }

  /** Takes a task, whether there is room or not; it starts in a later turn of the event loop. Tasks must not reject. */
  enter(lane: string | undefined, bytes: number, run: () => Promise<void>): void {
    const task = { lane, bytes, run };
    this.#tasks++;
    this.#bytes += bytes;
    const behind = lane === undefined ? undefined : this.#behind.get(lane);
    if (behind) {
      behind.push(task);
      return;
    }
    if (lane !== undefined) this.#behind.set(lane, []);
    this.#makeReady(task);
  }

  /** Resolves when no task is left. */
  idle(): Promise<void> {
    if (this.#tasks === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #makeReady(task: Task): void {
    this.#ready.push(task);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#startReady();
    });
  }

  #startReady(): void {
    const starting = this.#ready.splice(0, this.#limits.running - this.#running);
    this.#running += starting.length;
    for (const task of starting) void task.run().finally(() => this.#end(task));
  }

  #end({ lane, bytes }: Task): void {
    this.#tasks--;
    this.#bytes -= bytes;
    this.#running--;
    const next = lane === undefined ? undefined : this.#nextOf(lane);
    if (next) this.#ready.push(next);
    this.#startReady();
    if (this.#tasks > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #nextOf(lane: string): Task | undefined {
    const next = this.#behind.get(lane)?.shift();
    if (!next) this.#behind.delete(lane);
    return next;
  }
}

import type { AcceptedAlert } from '../../model/journal.ts';
import { Arena, type Entry } from './arena.ts';
import type { FromThread, ToThread } from './journal-thread.ts';

export interface BatchWriterOptions {
  /** Hands a batch to the thread, which answers by `written`. */
  readonly send: (batch: ToThread & { kind: 'batch' }) => void;
  readonly maxWaitingBytes: number;
  readonly onCommit: ((records: number, milliseconds: number) => void) | undefined;
}

interface WaitingEntry {
  readonly entry: Entry;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Batch {
  readonly recorded: readonly ((stored: boolean) => void)[];
  readonly entries: readonly WaitingEntry[];
  readonly sentAt: number;
}

/** Milliseconds before entries that could not be written are tried again, and before it is looked whether writing works. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Gathers what is to be recorded into batches: a batch is what came while the one before it was being written. No timer and
 * no size decides, so that one alert alone waits for nothing and many share one sync of the disk.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  #arena = new Arena();
  #recorded: ((stored: boolean) => void)[] = [];
  #entries: WaitingEntry[] = [];
  #inFlight: Batch | undefined;
  #isScheduled = false;
  /** Entries wait until this timer is over, because they could not be written just now. */
  #pause: NodeJS.Timeout | undefined;
  #nextPause = FIRST_PAUSE;
  #isHealthy = true;
  #reason = '';
  #onHealth: ((writable: boolean, reason: string) => void) | undefined;
  #closed: Error | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  hasRoom(bytes: number): boolean {
    return this.#arena.length + bytes <= this.#options.maxWaitingBytes;
  }

  addAlert(alert: AcceptedAlert, recorded: (stored: boolean) => void): void {
    if (this.#closed) {
      setImmediate(recorded, false);
      return;
    }
    this.#arena.addAlert(alert);
    this.#recorded.push(recorded);
    this.#schedule();
  }

  addEntry(entry: Entry): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#entries.push({ entry, resolve, reject });
      this.#schedule();
    });
  }

  onHealth(listener: (writable: boolean, reason: string) => void): void {
    this.#onHealth = listener;
    if (!this.#isHealthy) listener(false, this.#reason);
  }

  /** Takes no more, and resolves when all that was handed over is written, or cannot be. */
  end(): Promise<void> {
    this.#closed ??= new Error('the journal is closed');
    this.#schedule();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      this.#tellIfEmpty();
    });
  }

  /** The thread is gone: nothing can be written any more. */
  lose(error: Error): void {
    this.#closed = error;
    const { recorded, entries } = this.#inFlight ?? { recorded: [], entries: [] };
    this.#inFlight = undefined;
    for (const each of [...recorded, ...this.#recorded.splice(0)]) setImmediate(each, false);
    for (const { reject } of [...entries, ...this.#entries.splice(0)]) reject(error);
    this.#tellHealth(false, error.message);
    this.#tellIfEmpty();
  }

  /** What became of the batch that was sent. */
  written({ buffer, alerts, entries, error }: FromThread & { kind: 'written' }): void {
    const batch = this.#inFlight;
    if (!batch) return;
    this.#inFlight = undefined;
    this.#spare = buffer;
    const succeeded = alerts && entries;
    if (succeeded) {
      this.#resume();
      this.#options.onCommit?.(batch.recorded.length + batch.entries.length, performance.now() - batch.sentAt);
    }
    // Health first: whoever is told that an alert was not stored may want to know why.
    this.#tellHealth(succeeded, error);
    for (const recorded of batch.recorded) recorded(alerts);
    if (entries) for (const { resolve } of batch.entries) resolve();
    else this.#putBack(batch.entries, error);
    if (!succeeded) this.#pauseEntries();
    this.#flush();
    this.#tellIfEmpty();
  }

  #spare: ArrayBuffer | undefined;

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#inFlight || (this.#closed && this.#isEmpty())) return;
    const isPaused = this.#pause !== undefined && !this.#closed;
    const entries = isPaused ? [] : this.#entries;
    if (this.#recorded.length + entries.length > 0) this.#send(entries);
  }

  /** With no alerts and no entries this only finds out whether writing works. */
  #send(entries: WaitingEntry[]): void {
    const arena = this.#arena;
    const recorded = this.#recorded;
    for (const { entry } of entries) arena.addEntry(entry);
    if (entries === this.#entries) this.#entries = [];
    this.#recorded = [];
    this.#arena = new Arena(this.#spare);
    this.#spare = undefined;
    this.#inFlight = { recorded, entries, sentAt: performance.now() };
    const { buffer } = arena;
    this.#options.send({ kind: 'batch', buffer, alerts: recorded.length, entries: entries.length });
  }

  #putBack(entries: readonly WaitingEntry[], error: string): void {
    if (this.#closed) {
      for (const { reject } of entries)
        reject(new Error(`the journal was closed before this could be written: ${error}`));
    } else this.#entries.unshift(...entries);
  }

  /** Tries again after a while; with nothing to write, too, because no alerts come while the server says it is not ready. */
  #pauseEntries(): void {
    if (this.#pause || this.#closed) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (!this.#inFlight) this.#send(this.#entries);
    }, this.#nextPause);
    this.#nextPause = Math.min(2 * this.#nextPause, LONGEST_PAUSE);
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#nextPause = FIRST_PAUSE;
  }

  #tellHealth(isHealthy: boolean, reason: string): void {
    if (isHealthy === this.#isHealthy) return;
    this.#isHealthy = isHealthy;
    this.#reason = reason;
    this.#onHealth?.(isHealthy, isHealthy ? '' : reason);
  }

  #isEmpty(): boolean {
    return !this.#inFlight && this.#recorded.length + this.#entries.length === 0;
  }

  #tellIfEmpty(): void {
    if (!this.#closed || !this.#isEmpty()) return;
    clearTimeout(this.#pause);
    this.#whenEmpty?.();
  }
}

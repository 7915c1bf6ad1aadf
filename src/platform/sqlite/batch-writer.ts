import type { AcceptedAlert } from '../../model/journal.ts';
import { AlertLoad, MANY } from './alert-load.ts';
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

interface WaitingAlert {
  readonly id: number;
  readonly recorded: (stored: boolean) => void;
}

interface Batch {
  readonly alerts: readonly WaitingAlert[];
  readonly entries: readonly WaitingEntry[];
  readonly records: number;
  readonly sentAt: number;
}

/** Milliseconds before entries that could not be written are tried again, and before it is looked whether writing works. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/** Milliseconds for which entries wait under load for alerts to go with. */
const LINGER = 1;

/** Milliseconds between two times at which it is told that writing works again: on a disk that is nearly full it often does. */
const CALM = 5_000;

/**
 * Gathers what is to be recorded into batches: a batch is what came while the one before it was being written, or in one turn
 * of the event loop. No timer and no size decides, so that one alert alone waits for nothing and many share one sync of the
 * disk. Entries have no sender that waits for them: while alerts come thick and fast, they go with the next of those, instead
 * of a sync of their own. Many alerts do not wait for the end of the turn either: half of them go ahead, so that one half is
 * written while the other half is read.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  #arena = new Arena();
  /** A buffer that came back. */
  #spare: ArrayBuffer | undefined;
  #alerts: WaitingAlert[] = [];
  #entries: WaitingEntry[] = [];
  #inFlight: Batch | undefined;
  #isScheduled = false;
  /** False while there is no thread. */
  #isConnected = true;
  /** Entries wait until this timer is over, because they could not be written just now. */
  #pause: NodeJS.Timeout | undefined;
  #nextPause = FIRST_PAUSE;
  readonly #load = new AlertLoad();
  #linger: NodeJS.Timeout | undefined;
  #isHealthy = true;
  #reason = '';
  #toldWellAt = Number.NEGATIVE_INFINITY;
  /** Looks once more whether writing works, when that may be told. */
  #look: NodeJS.Timeout | undefined;
  #onHealth: ((writable: boolean, reason: string) => void) | undefined;
  #isClosed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  hasRoom(bytes: number): boolean {
    return this.#arena.length + bytes <= this.#options.maxWaitingBytes;
  }

  addAlert(alert: AcceptedAlert, recorded: (stored: boolean) => void): void {
    if (this.#isClosed || !this.#isConnected) {
      setImmediate(recorded, false);
      return;
    }
    this.#arena.addAlert(alert);
    this.#alerts.push({ id: alert.id, recorded });
    if (!this.#inFlight && this.#load.isHalf(this.#alerts.length)) this.#flush();
    else this.#schedule();
  }

  addEntry(entry: Entry): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the journal is closed'));
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
    this.#isClosed = true;
    if (!this.#isConnected) this.#giveUp('there is no thread');
    this.#schedule();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      this.#tellIfEmpty();
    });
  }

  /**
   * The thread is gone. Alerts are refused until there is another one, entries wait for it.
   *
   * @returns the alerts of which nobody knows whether they were written; they must not be kept
   */
  disconnect(reason: string): number[] {
    const unknown = this.#inFlight?.alerts ?? [];
    for (const { recorded } of [...unknown, ...this.#alerts.splice(0)]) setImmediate(recorded, false);
    this.#entries.unshift(...(this.#inFlight?.entries ?? []));
    this.#inFlight = undefined;
    this.#arena = new Arena();
    this.#isConnected = false;
    if (this.#isClosed) this.#giveUp(reason);
    this.#tellHealth(false, reason);
    this.#tellIfEmpty();
    return unknown.map(({ id }) => id);
  }

  /** There is another thread: what waits is written, and it is found out whether writing works. */
  connect(): void {
    this.#isConnected = true;
    this.#resume();
    this.#send(this.#entries);
  }

  /** What became of the batch that was sent. */
  written({ buffer, alerts, entries, error }: FromThread & { kind: 'written' }): void {
    const batch = this.#inFlight;
    if (!batch) return;
    this.#inFlight = undefined;
    this.#spare = buffer;
    const succeeded = alerts && entries;
    if (succeeded) this.#succeed(batch);
    // Health first: whoever is told that an alert was not stored may want to know why.
    this.#tellHealth(succeeded, error);
    // Many alerts that wait go first: the thread writes them while this one answers, and runs plans.
    if (succeeded && this.#alerts.length >= MANY) this.#send(this.#entries);
    for (const { recorded } of batch.alerts) recorded(alerts);
    if (entries) for (const { resolve } of batch.entries) resolve();
    else this.#entries.unshift(...batch.entries);
    if (!succeeded) this.#tryLater(error);
    // Fewer not at once: what plans record now that they go on is to be in the same batch.
    this.#schedule();
    this.#tellIfEmpty();
  }

  #succeed({ records, sentAt }: Batch): void {
    this.#resume();
    if (records > 0) this.#options.onCommit?.(records, performance.now() - sentAt);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inFlight) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#inFlight || !this.#isConnected) return;
    const entries = this.#pause && !this.#isClosed ? [] : this.#entries;
    if (this.#alerts.length === 0 && entries.length > 0 && this.#load.isHigh() && !this.#isClosed) this.#flushSoon();
    else if (this.#alerts.length + entries.length > 0) this.#send(entries);
  }

  #flushSoon(): void {
    this.#linger ??= setTimeout(() => {
      this.#linger = undefined;
      if (!this.#inFlight && this.#isConnected && !this.#pause && this.#entries.length > 0) this.#send(this.#entries);
    }, LINGER);
  }

  /** With no alerts and no entries this only finds out whether writing works. */
  #send(entries: WaitingEntry[]): void {
    const arena = this.#arena;
    const alerts = this.#alerts;
    for (const { entry } of entries) arena.addEntry(entry);
    if (entries === this.#entries) this.#entries = [];
    this.#alerts = [];
    this.#arena = new Arena(this.#spare);
    this.#spare = undefined;
    const sentAt = performance.now();
    const { counts } = arena;
    this.#inFlight = { alerts, entries, records: counts.alerts + counts.entries, sentAt };
    if (alerts.length > 0) this.#load.sent(alerts.length, sentAt);
    this.#options.send({ kind: 'batch', buffer: arena.buffer, ...counts });
  }

  /** With nothing to write, too: no alerts come while the server says that it is not ready. */
  #tryLater(error: string): void {
    if (this.#isClosed) this.#giveUp(error);
    if (this.#pause || this.#isClosed) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (!this.#inFlight && this.#isConnected) this.#send(this.#entries);
    }, this.#nextPause);
    this.#nextPause = Math.min(2 * this.#nextPause, LONGEST_PAUSE);
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#nextPause = FIRST_PAUSE;
  }

  /** The journal is closed and what is left cannot be written. */
  #giveUp(reason: string): void {
    const error = new Error(`the journal was closed before this could be written: ${reason}`);
    for (const { reject } of this.#entries.splice(0)) reject(error);
  }

  #tellHealth(isHealthy: boolean, reason: string): void {
    if (isHealthy === this.#isHealthy) return;
    if (isHealthy && this.#isTooSoon()) return;
    this.#isHealthy = isHealthy;
    this.#reason = reason;
    this.#onHealth?.(isHealthy, isHealthy ? '' : reason);
  }

  #isTooSoon(): boolean {
    const now = performance.now();
    const calm = this.#toldWellAt + CALM - now;
    if (calm <= 0) {
      this.#toldWellAt = now;
      return false;
    }
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      if (!this.#inFlight && this.#isConnected && !this.#pause) this.#send([]);
    }, calm);
    return true;
  }

  #tellIfEmpty(): void {
    if (!this.#isClosed || this.#inFlight || this.#alerts.length + this.#entries.length > 0) return;
    clearTimeout(this.#pause);
    clearTimeout(this.#look);
    this.#whenEmpty?.();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, NoticeResult, PendingNotice } from '../../model/journal.ts';
import type { Notice } from '../../model/notice.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Transition } from '../../model/transition.ts';
import { isFinal, LONGEST_RETRY_AFTER, waitAfter } from './notice-retry.ts';
import { NoticeTexts } from './notice-texts.ts';

type Failure = Extract<Outcome, { status: 'failure' }>;
type Told = Omit<Extract<Transition, { kind: 'notified' }>, 'kind' | 'notifier' | 'notice'>;

export interface NoticeQueueOptions {
  /** Tries to send one. `first` until one was sent. */
  readonly send: (notice: Notice, first: boolean, signal: AbortSignal) => Promise<Outcome>;
  readonly journal: Pick<Journal, 'notice' | 'settleNotice'>;
  /** Told what became of each try, once that is on disk. */
  readonly tell: (notice: Notice, told: Told) => void;
  /** Tries of one notice. */
  readonly attempts: number;
  /** Notices that may wait; beyond that the oldest are given up. */
  readonly maxPending: number;
  /** Tries within a minute; what is more waits. 0: no limit. */
  readonly perMinute: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Notices on their way at once. */
const WIDTH = 4;
const MINUTE = 60_000;
/** Milliseconds for what became of the last ones to be recorded. */
const LAST_WORDS = 2_000;
/** Milliseconds before it is looked again for a notice that the journal could not give. */
const READ_AGAIN_AFTER = 1_000;

/**
 * The notices for one notifier, in their order. After a failure the notifier as a whole is left alone for a while, the longer
 * the more failures there were in a row, and then a single notice finds out whether it is back: its being away costs some
 * notices some of their tries, and not all notices all of them. What waits is known here by its number; what it says is
 * read from the journal when it is its turn.
 */
export class NoticeQueue {
  readonly #options: NoticeQueueOptions;
  /** In the order of their numbers. */
  readonly #waiting: PendingNotice[] = [];
  readonly #inFlight = new Map<number, Promise<void>>();
  readonly #texts = new NoticeTexts();
  readonly #over = new AbortController();
  /** In a row, of the notifier. */
  #failures = 0;
  #quietUntil = 0;
  /** When those of the last minute were tried, the oldest first; only where there is a limit. */
  #recent: number[] = [];
  #isFirst = true;
  #isStopped = false;
  #isPumping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NoticeQueueOptions) {
    this.#options = options;
  }

  /** How many wait or are on their way. */
  get size(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  /** Takes one that is on disk. @param notice what it says, where that is known already */
  add(pending: PendingNotice, notice?: Notice): void {
    if (this.#isStopped) return;
    if (notice) this.#texts.keep(pending.id, notice);
    this.#putBack(pending);
    while (this.size > this.#options.maxPending && this.#waiting.length > 0) this.#dropOldest();
    this.#pumpSoon();
  }

  /**
   * Sends no more. Resolves when those on their way have come to an end; those that have not by then are given up. What is
   * left stays in the journal.
   */
  async stop(graceMilliseconds: number): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#over.abort(new Error('the server is stopped')), graceMilliseconds);
    const unwritable = sleep(graceMilliseconds + LAST_WORDS, undefined, { ref: false });
    await Promise.race([Promise.all(this.#inFlight.values()), unwritable]);
    clearTimeout(timer);
  }

  #putBack(pending: PendingNotice): void {
    let place = this.#waiting.length;
    while (place > 0 && (this.#waiting[place - 1] as PendingNotice).id > pending.id) place--;
    this.#waiting.splice(place, 0, pending);
  }

  /** Once for all that come in one turn. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isStopped) return;
    const width = this.#isFirst || this.#failures > 0 ? 1 : WIDTH;
    const now = this.#options.now();
    while (this.#inFlight.size < width && !isAhead(this.#quietUntil, now) && this.#enoughUntil(now) <= now) {
      const index = this.#nextIndex(now);
      const [pending] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!pending) break;
      this.#start(pending);
      this.#countTry(now);
    }
    this.#wakeLater(width, now);
  }

  #countTry(now: number): void {
    if (this.#options.perMinute > 0) this.#recent.push(now);
  }

  /**
   * An alert storm is not to become a storm of mails: where there were as many tries as may be in a minute, the oldest of them has to be
   * a minute old.
   */
  #enoughUntil(now: number): number {
    const { perMinute } = this.#options;
    this.#recent = this.#recent.filter((moment) => moment <= now && moment > now - MINUTE);
    const oldest = perMinute > 0 ? this.#recent.at(-perMinute) : undefined;
    return oldest === undefined ? 0 : oldest + MINUTE;
  }

  /**
   * The first that may be tried. Where the last try failed, one of those that were tried least often: if a notice is what
   * fails, the others are not held up by it, and if the notifier is away, all share the tries.
   */
  #nextIndex(now: number): number {
    let found = -1;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [index, { nextAt, attempts }] of this.#waiting.entries()) {
      if (attempts >= fewest || isAhead(nextAt, now)) continue;
      found = index;
      fewest = attempts;
      if (this.#failures === 0 || attempts === 0) break;
    }
    return found;
  }

  #start(pending: PendingNotice): void {
    const delivered = this.#deliver(pending).finally(() => {
      this.#inFlight.delete(pending.id);
      this.#pump();
    });
    this.#inFlight.set(pending.id, delivered);
  }

  /** When those on their way are as many as may be, the end of one of them is what wakes. */
  #wakeLater(width: number, now: number): void {
    clearTimeout(this.#timer);
    if (this.#inFlight.size >= width || this.#waiting.length === 0) return;
    const next = this.#waiting.reduce((least, { nextAt }) => Math.min(least, nextAt), Number.POSITIVE_INFINITY);
    const wait = Math.max(next, this.#quietUntil, this.#enoughUntil(now), now) - now;
    this.#timer = setTimeout(() => this.#pump(), Math.min(wait, LONGEST_RETRY_AFTER));
    this.#timer.unref();
  }

  async #deliver(pending: PendingNotice): Promise<void> {
    const notice = await this.#textOf(pending);
    if (!notice) return;
    const outcome = await this.#try(notice);
    if (outcome.status !== 'failure') {
      this.#failures = 0;
      this.#isFirst = false;
      return this.#settle(pending, notice, { kind: 'sent' }, { outcome: 'sent', attempt: pending.attempts + 1 });
    }
    // Given up by the server, on purpose: that says nothing against the notifier.
    if (this.#over.signal.aborted) return;
    await this.#failed(pending, notice, outcome);
  }

  async #failed(pending: PendingNotice, notice: Notice, failure: Failure): Promise<void> {
    const { error } = failure;
    const attempt = pending.attempts + 1;
    if (!isFinal(failure)) this.#leaveAlone(failure);
    if (isFinal(failure) || attempt >= this.#options.attempts) {
      const dead = { kind: 'dead', attempts: attempt, error } as const;
      return this.#settle(pending, notice, dead, { outcome: 'dead', attempt, error });
    }
    const { now, random } = this.#options;
    const wait = waitAfter(attempt, random(), failure);
    const again = { attempts: attempt, nextAt: Math.ceil(now() + wait) };
    this.#texts.keep(pending.id, notice);
    const retry = { kind: 'retry', ...again, error } as const;
    await this.#settle(pending, notice, retry, { outcome: 'retrying', attempt, error, wait });
    this.#putBack({ ...pending, ...again });
  }

  #leaveAlone(failure: Failure): void {
    const { now, random } = this.#options;
    this.#failures++;
    this.#quietUntil = now() + waitAfter(this.#failures, random(), failure);
  }

  /** What a notice says; undefined when it is not in the journal any more, or cannot be read for now. */
  async #textOf(pending: PendingNotice): Promise<Notice | undefined> {
    const kept = this.#texts.take(pending.id);
    if (kept) return kept;
    try {
      const queued = await this.#options.journal.notice(pending.id);
      return queued?.notice;
    } catch {
      this.#putBack({ ...pending, nextAt: this.#options.now() + READ_AGAIN_AFTER });
      return undefined;
    }
  }

  async #try(notice: Notice): Promise<Outcome> {
    try {
      return await this.#options.send(notice, this.#isFirst, this.#over.signal);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { status: 'failure', code: 'bug', error: text, objects: {} };
    }
  }

  /** Where it cannot be recorded any more, the server is at its end, and the next one sends it again. */
  async #settle({ id }: PendingNotice, notice: Notice, result: NoticeResult, told: Told): Promise<void> {
    try {
      await this.#options.journal.settleNotice(id, result);
    } catch {
      return;
    }
    this.#options.tell(notice, told);
  }

  #dropOldest(): void {
    const oldest = this.#waiting.shift();
    if (!oldest) return;
    const error = `dropped: more than ${this.#options.maxPending} wait for this notifier`;
    const told = { outcome: 'dropped', attempt: oldest.attempts, error } as const;
    const dropped = this.#textOf(oldest).then(
      (notice) => notice && this.#settle(oldest, notice, { kind: 'dead', attempts: oldest.attempts, error }, told),
    );
    dropped.catch(() => undefined);
  }
}

/** Whether a moment is still to come. One that is too far ahead was set before the clock was set back. */
function isAhead(moment: number, now: number): boolean {
  return moment > now && moment <= now + LONGEST_RETRY_AFTER;
}

import type { Worker } from 'node:worker_threads';
import type {
  AcceptedAlert,
  BudgetUse,
  Conclusion,
  Journal,
  NoticeResult,
  OpenPlan,
  PendingNotice,
  Progress,
  QueuedNotice,
  StoredPolicy,
} from '../../model/journal.ts';
import type { StepEnd } from '../../model/outcome.ts';
import { type Redact, redactTexts } from '../../model/redact.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { WorkerStart } from '../../model/worker-start.ts';
import { BatchWriter } from './batch-writer.ts';
import type { FromThread, JournalNotice, Questions, ThreadOptions, ToThread } from './journal-thread.ts';
import { type Opened, startThread } from './start-thread.ts';

export type { JournalNotice };

export interface JournalOptions extends ThreadOptions {
  /** How the thread is started. */
  readonly worker: WorkerStart;
  /** Bytes of alerts that may wait for the disk. */
  readonly maxWaitingBytes: number;
  /** Takes secrets out of what is written about outcomes. Alerts and answers of doors are kept as they are. */
  readonly redact?: Redact | undefined;
  /** Told what people may want to read in the log. */
  readonly onNotice?: (notice: JournalNotice) => void;
  /** Told of every commit: how many alerts and entries it made durable, and milliseconds from handing over to the answer. */
  readonly onCommit?: (records: number, milliseconds: number) => void;
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

/** Milliseconds before a thread that ended by itself is replaced. */
const REPLACE_AFTER = 500;

/**
 * Opens the journal in a file, which is made where there is none.
 *
 * @throws TalonError('journal') with a text that names the file, what is wrong and what to do: it cannot be written, another
 * server uses it, it is damaged, a later version wrote it
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { worker, opened } = await startThread(options, []);
  return new ThreadJournal(worker, options, opened);
}

class ThreadJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #writer: BatchWriter;
  readonly #questions = new Map<number, Waiting>();
  #worker: Worker;
  #lastQuestion = 0;
  #nextId: number;
  #nextSeq: number;
  #nextNotice: number;
  #onReopened: ((plan: OpenPlan) => void) | undefined;
  #onResent: ((notices: readonly PendingNotice[]) => void) | undefined;
  /** Whether the open plans were asked for: what operators reopened until then is among those. */
  #isResumed = false;
  /** The same of notices. */
  #areNoticesResumed = false;
  /** Alerts that a thread which is gone may have written, and which were refused. */
  #forget: number[] = [];
  /** Why there is no thread at the moment. */
  #missing: string | undefined;
  #isEnding = false;
  #replacement: NodeJS.Timeout | undefined;

  constructor(worker: Worker, options: JournalOptions, opened: Opened) {
    this.#options = options;
    this.#nextId = opened.nextId;
    this.#nextSeq = opened.nextSeq;
    this.#nextNotice = opened.nextNotice;
    this.#writer = new BatchWriter({
      send: (batch) => this.#say(batch),
      maxWaitingBytes: options.maxWaitingBytes,
      onCommit: options.onCommit,
    });
    this.#worker = worker;
    this.#listen();
  }

  newId(): number {
    return this.#nextId++;
  }

  hasRoom(bytes: number): boolean {
    return this.#writer.hasRoom(bytes);
  }

  accept(alert: AcceptedAlert, recorded: (stored: boolean) => void): void {
    this.#writer.addAlert(alert, recorded);
  }

  append(alert: number, progress: Progress, conclusion?: Conclusion, notices?: readonly QueuedNotice[]): Promise<void> {
    const { redact } = this.#options;
    const kept = redact ? redactProgress(progress, redact) : progress;
    return this.#writer.addEntry({
      kind: 'progress',
      alert,
      seq: this.#nextSeq++,
      at: Date.now(),
      progress: kept,
      conclusion: conclusion && this.#redacted(conclusion),
      notices,
    });
  }

  close(alert: number, conclusion: Conclusion): Promise<void> {
    return this.#writer.addEntry({ kind: 'close', alert, at: Date.now(), conclusion: this.#redacted(conclusion) });
  }

  #redacted(conclusion: Conclusion): Conclusion {
    const { redact } = this.#options;
    return redact ? { ...conclusion, reason: redact(conclusion.reason) } : conclusion;
  }

  keepPolicy(policy: StoredPolicy): Promise<void> {
    return this.#writer.addEntry({ kind: 'policy', policy });
  }

  policy(revision: string): Promise<StoredPolicy | undefined> {
    return this.#ask('policy', revision);
  }

  async openPlans(): Promise<readonly OpenPlan[]> {
    const plans = await this.#ask('openPlans', undefined);
    this.#isResumed = true;
    return plans;
  }

  acceptedSince(at: number): Promise<readonly { readonly key: string; readonly at: number }[]> {
    return this.#ask('acceptedSince', at);
  }

  budgetsUsedSince(at: number): Promise<readonly BudgetUse[]> {
    return this.#ask('budgetsUsedSince', at);
  }

  newNoticeId(): number {
    return this.#nextNotice++;
  }

  async openNotices(): Promise<readonly PendingNotice[]> {
    const notices = await this.#ask('openNotices', undefined);
    this.#areNoticesResumed = true;
    return notices;
  }

  notice(id: number): Promise<QueuedNotice | undefined> {
    return this.#ask('notice', id);
  }

  settleNotice(notice: number, result: NoticeResult): Promise<void> {
    return this.#writer.addEntry({ kind: 'settled', notice, result });
  }

  onResent(listener: (notices: readonly PendingNotice[]) => void): void {
    this.#onResent = listener;
  }

  onReopened(listener: (plan: OpenPlan) => void): void {
    this.#onReopened = listener;
  }

  onHealth(listener: (writable: boolean, reason: string) => void): void {
    this.#writer.onHealth(listener);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#replacement);
    await this.#writer.end();
    if (this.#missing !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#say({ kind: 'end' });
    await exited;
  }

  #listen(): void {
    let reason = 'the thread of the journal ended';
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => {
      reason = `the thread of the journal ended: ${error.message}`;
    });
    this.#worker.once('exit', () => this.#lose(reason));
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message, message.kind === 'batch' ? [message.buffer] : []);
  }

  #ask<Name extends keyof Questions>(
    question: Name,
    argument: Questions[Name]['argument'],
  ): Promise<Questions[Name]['answer']> {
    if (this.#missing !== undefined) return Promise.reject(new TalonError('journal', this.#missing));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastQuestion;
      this.#questions.set(id, { resolve, reject });
      this.#say({ kind: 'ask', id, question, argument });
    });
  }

  #receive(message: FromThread): void {
    if (message.kind === 'written') this.#writer.written(message);
    else if (message.kind === 'answer') this.#take(message.id)?.resolve(message.answer as never);
    else if (message.kind === 'unanswered') this.#take(message.id)?.reject(new TalonError('journal', message.error));
    else if (message.kind === 'reopened') this.#reopen(message.plans, message.nextSeq);
    else if (message.kind === 'resent') this.#resend(message.notices);
    else if (message.kind === 'notice') this.#options.onNotice?.(message.notice);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#questions.get(id);
    this.#questions.delete(id);
    return waiting;
  }

  #reopen(plans: readonly OpenPlan[], nextSeq: number): void {
    this.#nextSeq = Math.max(this.#nextSeq, nextSeq);
    if (this.#isResumed) for (const plan of plans) this.#onReopened?.(plan);
  }

  #resend(notices: readonly PendingNotice[]): void {
    if (this.#areNoticesResumed) this.#onResent?.(notices);
  }

  #lose(reason: string): void {
    this.#missing = reason;
    for (const { reject } of this.#questions.values()) reject(new TalonError('journal', reason));
    this.#questions.clear();
    // An end that was asked for is no fault.
    if (this.#isEnding) return;
    this.#forget = [...this.#forget, ...this.#writer.disconnect(reason)];
    this.#replaceLater();
  }

  #replaceLater(): void {
    if (this.#isEnding) return;
    this.#replacement = setTimeout(() => void this.#replace(), REPLACE_AFTER);
  }

  async #replace(): Promise<void> {
    try {
      const { worker, opened } = await startThread(this.#options, this.#forget);
      if (this.#isEnding) return void (await worker.terminate());
      this.#worker = worker;
      this.#missing = undefined;
      this.#forget = [];
      this.#nextSeq = Math.max(this.#nextSeq, opened.nextSeq);
      this.#nextNotice = Math.max(this.#nextNotice, opened.nextNotice);
      this.#listen();
      this.#writer.connect();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#options.onNotice?.({ kind: 'trouble', text });
      this.#replaceLater();
    }
  }
}

/** Digests and answers of doors stay: a replay must find them as they were. */
function redactProgress(progress: Progress, redact: Redact): Progress {
  switch (progress.kind) {
    case 'retrying':
      return { ...progress, error: redact(progress.error) };
    case 'acted':
      return { ...progress, outcome: redactEnd(progress.outcome, redact) };
    case 'ended': {
      const { end, stored } = progress;
      const kept = stored && { stored: { ...stored, outcome: redactEnd(stored.outcome, redact) } };
      return { ...progress, end: redactEnd(end, redact), ...kept };
    }
    default:
      return progress;
  }
}

/** What a plan goes on by stays as it is, should a secret read the same. */
function redactEnd<End extends StepEnd>(end: End, redact: Redact): End {
  const { status } = end;
  const code = 'code' in end ? { code: end.code } : {};
  const artifact = 'artifact' in end ? { artifact: end.artifact } : {};
  return { ...redactTexts(end, redact), status, ...code, ...artifact };
}

import { Worker } from 'node:worker_threads';
import type {
  AcceptedAlert,
  BudgetUse,
  ClosedState,
  Journal,
  OpenPlan,
  Progress,
  StoredPolicy,
} from '../../model/journal.ts';
import { type Redact, redactTexts } from '../../model/redact.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { WorkerStart } from '../../model/worker-start.ts';
import { BatchWriter } from './batch-writer.ts';
import type { DroppedPlan, FromThread, Questions, ThreadOptions, ToThread } from './journal-thread.ts';

export interface JournalOptions extends ThreadOptions {
  /** How the thread is started. */
  readonly worker: WorkerStart;
  /** Bytes of alerts that may wait for the disk. */
  readonly maxWaitingBytes: number;
  /** Takes secrets out of what is written about outcomes. Alerts and answers of doors are kept as they are. */
  readonly redact?: Redact;
  /** Told of ended plans that are dropped from the file; those that failed or were parked are worth a word to people. */
  readonly onDropped?: (plans: readonly DroppedPlan[]) => void;
  /** Told of every commit: how many alerts and entries it made durable, and milliseconds from handing over to the answer. */
  readonly onCommit?: (records: number, milliseconds: number) => void;
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

/**
 * Opens the journal in a file, which is made where there is none.
 *
 * @throws TalonError('journal') with a text that names the file, what is wrong and what to do: it cannot be written, another
 * server uses it, it is damaged, a later version wrote it
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { worker: start, file, retentionHours, maxBytes } = options;
  const workerData: ThreadOptions = { file, retentionHours, maxBytes };
  const worker = new Worker(start.script, { eval: start.eval, workerData });
  const first = await firstMessage(worker);
  if (first.kind === 'opened') return new ThreadJournal(worker, options, first);
  await worker.terminate();
  throw new TalonError('journal', first.kind === 'refused' ? first.message : 'the journal did not open');
}

function firstMessage(worker: Worker): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

class ThreadJournal implements Journal {
  readonly #worker: Worker;
  readonly #options: JournalOptions;
  readonly #writer: BatchWriter;
  readonly #questions = new Map<number, Waiting>();
  #lastQuestion = 0;
  #nextId: number;
  #nextSeq: number;
  #onReopened: ((plan: OpenPlan) => void) | undefined;
  /** Reopened before anybody listened. */
  readonly #untold: OpenPlan[] = [];
  #fault: Error | undefined;

  constructor(worker: Worker, options: JournalOptions, opened: FromThread & { kind: 'opened' }) {
    this.#worker = worker;
    this.#options = options;
    this.#nextId = opened.nextId;
    this.#nextSeq = opened.nextSeq;
    this.#writer = new BatchWriter({
      send: (batch) => this.#say(batch),
      maxWaitingBytes: options.maxWaitingBytes,
      onCommit: options.onCommit,
    });
    worker.on('message', (message: FromThread) => this.#receive(message));
    worker.on('error', (error) => this.#lose(error));
    worker.on('exit', () => this.#lose(new Error('the thread of the journal has ended')));
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

  append(alert: number, progress: Progress): Promise<void> {
    const { redact } = this.#options;
    const kept = redact ? redactProgress(progress, redact) : progress;
    return this.#writer.addEntry({
      kind: 'progress',
      alert,
      seq: this.#nextSeq++,
      progress: { ...kept, at: Date.now() },
    });
  }

  close(alert: number, state: ClosedState, reason: string): Promise<void> {
    const { redact } = this.#options;
    return this.#writer.addEntry({ kind: 'close', alert, at: Date.now(), state, reason: redact?.(reason) ?? reason });
  }

  keepPolicy(policy: StoredPolicy): Promise<void> {
    return this.#writer.addEntry({ kind: 'policy', policy });
  }

  policy(revision: string): Promise<StoredPolicy | undefined> {
    return this.#ask('policy', revision);
  }

  openPlans(): Promise<readonly OpenPlan[]> {
    return this.#ask('openPlans', undefined);
  }

  acceptedSince(at: number): Promise<readonly { readonly key: string; readonly at: number }[]> {
    return this.#ask('acceptedSince', at);
  }

  budgetsUsedSince(at: number): Promise<readonly BudgetUse[]> {
    return this.#ask('budgetsUsedSince', at);
  }

  onReopened(listener: (plan: OpenPlan) => void): void {
    this.#onReopened = listener;
    for (const plan of this.#untold.splice(0)) listener(plan);
  }

  onHealth(listener: (writable: boolean, reason: string) => void): void {
    this.#writer.onHealth(listener);
  }

  async end(): Promise<void> {
    await this.#writer.end();
    if (this.#fault) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#say({ kind: 'end' });
    await exited;
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message, message.kind === 'batch' ? [message.buffer] : []);
  }

  #ask<Name extends keyof Questions>(
    question: Name,
    argument: Questions[Name]['argument'],
  ): Promise<Questions[Name]['answer']> {
    if (this.#fault) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastQuestion;
      this.#questions.set(id, { resolve, reject });
      this.#say({ kind: 'ask', id, question, argument });
    });
  }

  #receive(message: FromThread): void {
    if (message.kind === 'written') this.#writer.written(message);
    else if (message.kind === 'answer') this.#take(message.id)?.resolve(message.answer as never);
    else if (message.kind === 'unanswered') this.#take(message.id)?.reject(new Error(message.error));
    else if (message.kind === 'reopened') this.#reopen(message.plans, message.nextSeq);
    else if (message.kind === 'dropped') this.#options.onDropped?.(message.plans);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#questions.get(id);
    this.#questions.delete(id);
    return waiting;
  }

  #reopen(plans: readonly OpenPlan[], nextSeq: number): void {
    this.#nextSeq = Math.max(this.#nextSeq, nextSeq);
    if (this.#onReopened) for (const plan of plans) this.#onReopened(plan);
    else this.#untold.push(...plans);
  }

  #lose(error: Error): void {
    this.#fault ??= error;
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
    this.#writer.lose(error);
  }
}

/** Digests and answers of doors stay: a replay must find them as they were. */
function redactProgress(progress: Progress, redact: Redact): Progress {
  if (progress.kind === 'retrying') return { ...progress, error: redact(progress.error) };
  return progress.kind === 'ended' ? { ...progress, end: redactTexts(progress.end, redact) } : progress;
}

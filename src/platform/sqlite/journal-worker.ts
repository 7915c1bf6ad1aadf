import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { TalonError } from '../../model/talon-error.ts';
import { damaged, type JournalLock, lockJournal, openForServer } from './journal-file.ts';
import { BadRow } from './journal-rows.ts';
import { JournalStore } from './journal-store.ts';
import type { FromThread, Questions, ThreadOptions, ToThread } from './journal-thread.ts';

/** Milliseconds between looks at what operators wrote. */
const LOOK_EVERY = 400;

/** The thread of the journal: the only one that writes the file, so that a slow disk holds up nobody but what waits for it. */
class JournalThread {
  readonly #port: MessagePort;
  readonly #store: JournalStore;
  readonly #close: () => void;
  readonly #isChangedByOthers: () => boolean;
  readonly #timer: NodeJS.Timeout;

  constructor(port: MessagePort, options: ThreadOptions) {
    this.#port = port;
    const lock = lockJournal(options.file);
    if (!lock) throw inUse(options.file);
    const { store, close, isChangedByOthers } = open(options.file, lock);
    this.#store = store;
    this.#close = close;
    this.#isChangedByOthers = isChangedByOthers;
    const { lastSeq } = store.openPlans();
    this.#say({ kind: 'opened', nextId: store.nextId(), nextSeq: lastSeq + 1 });
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  receive(message: ToThread): void {
    if (message.kind === 'batch') this.#write(message);
    else if (message.kind === 'ask') this.#answer(message);
    else this.#end();
  }

  #say(message: FromThread): void {
    this.#port.postMessage(message, message.kind === 'written' ? [message.buffer] : []);
  }

  #write({ buffer, alerts, entries }: ToThread & { kind: 'batch' }): void {
    this.#say({ kind: 'written', buffer, ...this.#store.write(buffer, alerts, entries) });
  }

  #answer({ id, question, argument }: ToThread & { kind: 'ask' }): void {
    try {
      this.#say({ kind: 'answer', id, answer: this.#ask(question, argument) });
    } catch (error) {
      this.#say({ kind: 'unanswered', id, error: String(error) });
    }
  }

  #ask(question: keyof Questions, argument: unknown): unknown {
    const store = this.#store;
    if (question === 'openPlans') return store.openPlans().plans;
    if (question === 'policy') return store.policy(argument as string);
    if (question === 'acceptedSince') return store.acceptedSince(argument as number);
    return store.budgetsUsedSince(argument as number);
  }

  #look(): void {
    if (!this.#isChangedByOthers()) return;
    const { plans, lastSeq } = this.#store.takeReopened();
    if (plans.length > 0) this.#say({ kind: 'reopened', plans, nextSeq: lastSeq + 1 });
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#close();
    this.#port.close();
  }
}

function open(file: string, lock: JournalLock) {
  try {
    const database = openForServer(file);
    const version = database.prepare('PRAGMA data_version').raw();
    let seen: unknown;
    const isChangedByOthers = () => {
      const [now] = version.get() as unknown[];
      const changed = now !== seen;
      seen = now;
      return changed;
    };
    const close = () => {
      database.close();
      lock.release();
    };
    return { store: new JournalStore(database), close, isChangedByOthers };
  } catch (error) {
    lock.release();
    throw error instanceof BadRow ? damaged(file, error.message, error) : error;
  }
}

function inUse(file: string): TalonError {
  return new TalonError(
    'journal',
    `the journal ${file} is in use by another server: stop that one, or set \`journal.path\` to another file`,
  );
}

function start(port: MessagePort): void {
  try {
    const thread = new JournalThread(port, workerData as ThreadOptions);
    port.on('message', (message: ToThread) => thread.receive(message));
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    port.postMessage({ kind: 'refused', message: error.message } satisfies FromThread);
  }
}

if (parentPort) start(parentPort);

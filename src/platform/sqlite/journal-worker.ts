import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { TalonError } from '../../model/talon-error.ts';
import { Housekeeping } from './housekeeping.ts';
import { damaged, type JournalDatabase, lockJournal, openForServer, worded } from './journal-file.ts';
import { BadRow, forgetAlerts } from './journal-rows.ts';
import { JournalStore } from './journal-store.ts';
import type { FromThread, Questions, ThreadStart, ToThread } from './journal-thread.ts';

/** Milliseconds between looks at what operators wrote, and at what is to be tidied up. */
const LOOK_EVERY = 400;

/** What an opened journal is to its thread. */
interface Opened {
  readonly database: JournalDatabase;
  readonly store: JournalStore;
  readonly nextSeq: number;
  readonly close: () => void;
}

/** The thread of the journal: the only one that writes the file, so that a slow disk holds up nobody but what waits for it. */
class JournalThread {
  readonly #port: MessagePort;
  readonly #file: string;
  readonly #opened: Opened;
  readonly #housekeeping: Housekeeping;
  readonly #timer: NodeJS.Timeout;
  #seenVersion: unknown;
  /** Whether a batch came since the last look. */
  #isBusy = false;
  #lastTrouble = '';

  constructor(port: MessagePort, options: ThreadStart, opened: Opened) {
    this.#port = port;
    this.#file = options.file;
    this.#opened = opened;
    this.#housekeeping = new Housekeeping(opened.database, opened.store, options);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#say({ kind: 'opened', nextId: opened.store.nextId(), nextSeq: opened.nextSeq });
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
    this.#isBusy = true;
    const written = this.#opened.store.write(buffer, alerts, entries);
    const error = written.error && `the journal ${this.#file} cannot be written: ${written.error}`;
    this.#say({ kind: 'written', buffer, ...written, error });
  }

  #answer({ id, question, argument }: ToThread & { kind: 'ask' }): void {
    try {
      this.#say({ kind: 'answer', id, answer: this.#ask(question, argument) });
    } catch (error) {
      this.#say({ kind: 'unanswered', id, error: reason(this.#file, error) });
    }
  }

  #ask(question: keyof Questions, argument: unknown): unknown {
    const { store } = this.#opened;
    if (question === 'openPlans') return store.openPlans().plans;
    if (question === 'policy') return store.policy(argument as string);
    if (question === 'acceptedSince') return store.acceptedSince(argument as number);
    return store.budgetsUsedSince(argument as number);
  }

  #look(): void {
    const isIdle = !this.#isBusy;
    this.#isBusy = false;
    try {
      this.#takeReopened();
      this.#tidy(isIdle);
      this.#lastTrouble = '';
    } catch (error) {
      this.#tellTrouble(reason(this.#file, error));
    }
  }

  #takeReopened(): void {
    const [version] = this.#opened.database.prepare('PRAGMA data_version').raw().get() as unknown[];
    if (version === this.#seenVersion) return;
    const { plans, lastSeq } = this.#opened.store.takeReopened();
    this.#seenVersion = version;
    if (plans.length > 0) this.#say({ kind: 'reopened', plans, nextSeq: lastSeq + 1 });
  }

  /** Piece after piece; batches that come meanwhile go between. */
  #tidy(isIdle: boolean): void {
    const plans = this.#housekeeping.piece(isIdle, Date.now());
    if (!plans) return;
    if (plans.length > 0) this.#say({ kind: 'notice', notice: { kind: 'dropped', plans } });
    setImmediate(() => {
      if (!this.#opened.database.open) return;
      try {
        this.#tidy(isIdle && !this.#isBusy);
      } catch (error) {
        this.#tellTrouble(reason(this.#file, error));
      }
    });
  }

  /** Once, not at each of the looks that follow. */
  #tellTrouble(text: string): void {
    if (text === this.#lastTrouble) return;
    this.#lastTrouble = text;
    this.#say({ kind: 'notice', notice: { kind: 'trouble', text } });
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#opened.close();
    this.#port.close();
  }
}

/** @throws TalonError('journal') */
function open({ file, forget }: ThreadStart): Opened {
  const lock = lockJournal(file);
  if (!lock) throw inUse(file);
  let database: JournalDatabase | undefined;
  const close = () => {
    database?.close();
    lock.release();
  };
  try {
    database = openForServer(file);
    return { ...worded(file, () => readOpened(database as JournalDatabase, forget)), close };
  } catch (error) {
    close();
    throw error instanceof BadRow ? damaged(file, error.message, error) : error;
  }
}

/** Reads all that a server needs at its start, so that it does not start with plans that it cannot resume. */
function readOpened(database: JournalDatabase, forget: readonly number[]): Omit<Opened, 'close'> {
  if (forget.length > 0) forgetAlerts(database, forget);
  const store = new JournalStore(database);
  const { plans, lastSeq } = store.readOpenPlans();
  for (const revision of new Set(plans.map(({ alert }) => alert.revision))) store.policy(revision);
  store.budgetsUsedSince(0);
  return { database, store, nextSeq: lastSeq + 1 };
}

function reason(file: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.includes(file) ? text : `the journal ${file}: ${text}`;
}

function inUse(file: string): TalonError {
  const advice = 'stop that one, or set `journal.path` to another file';
  return new TalonError('journal', `the journal ${file} is in use by another server: ${advice}`);
}

function start(port: MessagePort, options: ThreadStart): void {
  try {
    const thread = new JournalThread(port, options, open(options));
    port.on('message', (message: ToThread) => thread.receive(message));
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    port.postMessage({ kind: 'refused', message: error.message } satisfies FromThread);
  }
}

if (parentPort) start(parentPort, workerData as ThreadStart);

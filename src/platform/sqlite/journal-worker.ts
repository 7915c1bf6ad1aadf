import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { TalonError } from '../../model/talon-error.ts';
import { Housekeeping } from './housekeeping.ts';
import type { Written } from './journal-store.ts';
import type { FromThread, Questions, ThreadStart, ToThread } from './journal-thread.ts';
import { type OpenedStore, openStore } from './open-store.ts';

/** Milliseconds between looks at what operators wrote, and at what is to be tidied up. */
const LOOK_EVERY = 400;

const GONE: Written = {
  alerts: false,
  entries: false,
  error: 'it was moved, removed or replaced; put it back, or start the server again to begin with what is there',
};

/** The thread of the journal: the only one that writes the file, so that a slow disk holds up nobody but what waits for it. */
class JournalThread {
  readonly #port: MessagePort;
  readonly #file: string;
  readonly #opened: OpenedStore;
  readonly #housekeeping: Housekeeping;
  readonly #timer: NodeJS.Timeout;
  #seenVersion: unknown;
  /** Whether a batch came since the last look. */
  #isBusy = false;
  #lastTrouble = '';

  constructor(port: MessagePort, options: ThreadStart, opened: OpenedStore) {
    this.#port = port;
    this.#file = options.file;
    this.#opened = opened;
    this.#housekeeping = new Housekeeping(opened.database, opened.store, options);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    const { store, nextSeq } = opened;
    this.#say({ kind: 'opened', nextId: store.nextId(), nextSeq, nextNotice: store.notices.nextId() });
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
    const written = this.#writeThere(buffer, alerts, entries);
    const error = written.error && `the journal ${this.#file} cannot be written: ${written.error}`;
    this.#say({ kind: 'written', buffer, ...written, error });
  }

  /** Writes, and holds nothing for written that went into a file which is not there any more. */
  #writeThere(buffer: ArrayBuffer, alerts: number, entries: number): Written {
    const { store, isInPlace } = this.#opened;
    const written = isInPlace() ? store.write(buffer, alerts, entries) : GONE;
    return isInPlace() ? written : GONE;
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
    if (question === 'openPlans') return this.#openPlans();
    if (question === 'policy') return store.policy(argument as string);
    if (question === 'openNotices') return store.openNotices();
    if (question === 'notice') return store.notices.read(argument as number);
    if (question === 'acceptedSince') return store.acceptedSince(argument as number);
    return store.budgetsUsedSince(argument as number);
  }

  /** An operator may have opened some of them again since the file was opened. */
  #openPlans(): unknown {
    const { plans, lastSeq } = this.#opened.store.openPlans();
    this.#say({ kind: 'reopened', plans: [], nextSeq: lastSeq + 1 });
    return plans;
  }

  #look(): void {
    const isIdle = !this.#isBusy;
    this.#isBusy = false;
    // A plan that cannot be read keeps nothing from being tidied up.
    const troubles = [() => this.#takeWishes(), () => this.#tidy(isIdle)].flatMap((act) => this.#attempt(act));
    if (troubles.length > 0) this.#tellTrouble(troubles.join('; '));
    else this.#lastTrouble = '';
  }

  /** @returns what went wrong, if something did */
  #attempt(act: () => void): string[] {
    try {
      act();
      return [];
    } catch (error) {
      return [reason(this.#file, error)];
    }
  }

  /** What operators want, if somebody else than this thread has written the file since the last look. */
  #takeWishes(): void {
    const [version] = this.#opened.database.prepare('PRAGMA data_version').raw().get() as unknown[];
    if (version === this.#seenVersion) return;
    const { store } = this.#opened;
    const resent = store.takeResent();
    if (resent.length > 0) this.#say({ kind: 'resent', notices: resent });
    const { plans, lastSeq } = store.takeReopened();
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

function reason(file: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.includes(file) ? text : `the journal ${file}: ${text}`;
}

function start(port: MessagePort, options: ThreadStart): void {
  try {
    const thread = new JournalThread(port, options, openStore(options));
    port.on('message', (message: ToThread) => thread.receive(message));
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    port.postMessage({ kind: 'refused', message: error.message } satisfies FromThread);
  }
}

if (parentPort) start(parentPort, workerData as ThreadStart);

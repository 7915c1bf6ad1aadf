import type {
  AcceptedAlert,
  Conclusion,
  NoticeResult,
  Progress,
  QueuedNotice,
  StoredPolicy,
} from '../../model/journal.ts';

/** Something to be recorded about a plan, or a policy. `seq` orders the entries of a plan and tells a repetition. */
export type Entry =
  | {
      readonly kind: 'progress';
      readonly alert: number;
      readonly seq: number;
      readonly at: number;
      readonly progress: Progress;
      /** The plan ends with it. */
      readonly conclusion?: Conclusion | undefined;
      /** To be sent once that is recorded. */
      readonly notices?: readonly QueuedNotice[] | undefined;
    }
  | { readonly kind: 'close'; readonly alert: number; readonly at: number; readonly conclusion: Conclusion }
  | { readonly kind: 'policy'; readonly policy: StoredPolicy }
  | { readonly kind: 'settled'; readonly notice: number; readonly result: NoticeResult };

const FIRST_SIZE = 128 * 1024;
/** A larger one is not kept for the next batch. */
const LARGEST_KEPT = 1024 * 1024;
/** Two doubles, and the byte lengths of two texts and the body. */
const ALERT_HEAD = 8 + 8 + 4 + 4 + 4;
/** The byte length of a text, what it is, and three doubles. */
const ENTRY_HEAD = 4 + 1 + 8 + 8 + 8;
/** What an entry is, as the byte of its head says it. Budgets are apart, because rows of their own are made of them. */
const ENTRY_KINDS = ['progress', 'reserved', 'close', 'policy', 'notice', 'settled'] as const;

const GONE = { attempts: 0, error: '' };

/**
 * The bytes of one batch, on their way to the thread that writes them: one buffer that changes hands as a whole, because a
 * message for each alert costs more than writing it.
 */
export class Arena {
  #bytes: Buffer;
  #length = 0;
  #alerts = 0;
  #entries = 0;

  /** @param buffer one that came back, to be used again */
  constructor(buffer?: ArrayBuffer) {
    const kept = buffer && buffer.byteLength <= LARGEST_KEPT ? buffer : new ArrayBuffer(FIRST_SIZE);
    this.#bytes = Buffer.from(kept);
  }

  get length(): number {
    return this.#length;
  }

  /** How many alerts and entries are in it. */
  get counts(): { readonly alerts: number; readonly entries: number } {
    return { alerts: this.#alerts, entries: this.#entries };
  }

  get buffer(): ArrayBuffer {
    return this.#bytes.buffer as ArrayBuffer;
  }

  addAlert({ id, at, key, revision, rules, traceId, body }: AcceptedAlert): void {
    const head = `${traceId}\n${rules.join()}\n${revision}`;
    // No text has more than three bytes of UTF-8 for each of its units.
    this.#reserve(ALERT_HEAD + 3 * (key.length + head.length) + body.length);
    const bytes = this.#bytes;
    const start = this.#length;
    bytes.writeDoubleLE(id, start);
    bytes.writeDoubleLE(at, start + 8);
    const keyLength = bytes.write(key, start + ALERT_HEAD);
    const headLength = bytes.write(head, start + ALERT_HEAD + keyLength);
    bytes.writeUInt32LE(keyLength, start + 16);
    bytes.writeUInt32LE(headLength, start + 20);
    bytes.writeUInt32LE(body.length, start + 24);
    bytes.set(body, start + ALERT_HEAD + keyLength + headLength);
    this.#length = start + ALERT_HEAD + keyLength + headLength + body.length;
    this.#alerts++;
  }

  addEntry(entry: Entry): void {
    if (entry.kind === 'policy') {
      this.#addText('policy', 0, 0, 0, JSON.stringify(entry.policy));
      return;
    }
    if (entry.kind === 'settled') {
      this.#addResult(entry.notice, entry.result);
      return;
    }
    const { alert, at, conclusion } = entry;
    if (entry.kind === 'progress') {
      const { seq, progress, notices } = entry;
      const kind = progress.kind === 'reserved' ? 'reserved' : 'progress';
      this.#addText(kind, alert, seq, at, JSON.stringify(progress));
      if (notices) for (const notice of notices) this.#addNotice(notice);
    }
    if (conclusion) this.#addText('close', alert, 0, at, `${conclusion.state}\n${conclusion.reason}`);
  }

  #addNotice({ id, alert, step, notifier, at, notice }: QueuedNotice): void {
    this.#addText('notice', alert, id, at, `${step}\n${notifier}\n${JSON.stringify(notice)}`);
  }

  #addResult(notice: number, result: NoticeResult): void {
    const { attempts, error } = result.kind === 'sent' ? GONE : result;
    const nextAt = result.kind === 'retry' ? result.nextAt : 0;
    this.#addText('settled', notice, attempts, nextAt, `${result.kind}\n${error}`);
  }

  #addText(kind: (typeof ENTRY_KINDS)[number], alert: number, seq: number, at: number, text: string): void {
    this.#reserve(ENTRY_HEAD + 3 * text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    const length = bytes.write(text, start + ENTRY_HEAD);
    bytes.writeUInt32LE(length, start);
    bytes.writeUInt8(ENTRY_KINDS.indexOf(kind), start + 4);
    bytes.writeDoubleLE(alert, start + 5);
    bytes.writeDoubleLE(seq, start + 13);
    bytes.writeDoubleLE(at, start + 21);
    this.#length = start + ENTRY_HEAD + length;
    this.#entries++;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * this.#bytes.length)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** An alert as it lies in an arena. */
export interface AlertRow {
  readonly id: number;
  readonly at: number;
  readonly key: string;
  readonly revision: string;
  /** Indices, with commas between. */
  readonly rules: string;
  readonly traceId: string;
  readonly body: Buffer;
}

/**
 * An entry as it lies in an arena. The text is the progress as JSON without its moment, state and reason on lines of their own,
 * or the policy as JSON; of a notice, whose id is `seq`, step, notifier and the notice as JSON on lines of their own; of what
 * became of one, whose id is `alert`, what that is and the error, with the tries in `seq` and the moment of the next in `at`.
 */
export interface EntryRow {
  readonly kind: (typeof ENTRY_KINDS)[number];
  readonly alert: number;
  readonly seq: number;
  readonly at: number;
  readonly text: string;
}

/** Reads back what was added to an arena: first `alerts` alerts, then `entries` entries. */
export class ArenaReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(buffer: ArrayBuffer) {
    this.#bytes = Buffer.from(buffer);
  }

  alert(): AlertRow {
    const bytes = this.#bytes;
    const start = this.#at;
    const keyEnd = start + ALERT_HEAD + bytes.readUInt32LE(start + 16);
    const headEnd = keyEnd + bytes.readUInt32LE(start + 20);
    this.#at = headEnd + bytes.readUInt32LE(start + 24);
    const [traceId = '', rules = '', ...rest] = bytes.toString('utf8', keyEnd, headEnd).split('\n');
    return {
      id: bytes.readDoubleLE(start),
      at: bytes.readDoubleLE(start + 8),
      key: bytes.toString('utf8', start + ALERT_HEAD, keyEnd),
      revision: rest.join('\n'),
      rules,
      traceId,
      body: bytes.subarray(headEnd, this.#at),
    };
  }

  entry(): EntryRow {
    const bytes = this.#bytes;
    const start = this.#at;
    this.#at = start + ENTRY_HEAD + bytes.readUInt32LE(start);
    return {
      kind: ENTRY_KINDS[bytes.readUInt8(start + 4)] ?? 'progress',
      alert: bytes.readDoubleLE(start + 5),
      seq: bytes.readDoubleLE(start + 13),
      at: bytes.readDoubleLE(start + 21),
      text: bytes.toString('utf8', start + ENTRY_HEAD, this.#at),
    };
  }
}

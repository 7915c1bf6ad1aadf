import { decodeParameters, type ParameterProblem } from '../../model/decode-parameters.ts';
import type { Notifier } from '../../model/definition.ts';
import type { Journal, PendingNotice, QueuedNotice } from '../../model/journal.ts';
import type { Notice } from '../../model/notice.ts';
import { type Redact, redactTexts } from '../../model/redact.ts';
import type { ParameterMap } from '../../model/rule.ts';
import type { Telemetry } from '../../model/transition.ts';
import type { Step } from '../enrich.ts';
import type { Executor } from '../plugins/execute.ts';
import { type NoticedEnd, noticeOf } from './notice-of.ts';
import { NoticeQueue } from './notice-queue.ts';
import { withoutLogs } from './without-logs.ts';

/** The step that notices are about, by alert and number. */
export interface NoticedStep {
  readonly alert: number;
  readonly number: number;
  readonly step: Pick<Step, 'head' | 'rule'>;
}

/** How plans tell people. What `of` gives is recorded with the end that it is about, and handed to `post` once it is on disk. */
export interface NoticePost {
  of(about: NoticedStep, ended: NoticedEnd): readonly QueuedNotice[];
  /** Nobody waits for what becomes of them. */
  post(notices: readonly QueuedNotice[]): void;
}

export interface NoticesOptions {
  readonly executor: Pick<Executor, 'send'>;
  readonly notifiers: ReadonlyMap<string, Notifier>;
  /** Settings of notifiers by name, as the configuration has them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names of those that are told of the actions of all rules. */
  readonly defaults: readonly string[];
  readonly journal: Journal;
  readonly telemetry: Telemetry;
  /** Takes secrets out of what is kept and sent. */
  readonly redact?: Redact | undefined;
  readonly limits: {
    /** Tries of one notice. */
    readonly attempts: number;
    /** Notices that may wait for one notifier; beyond that the oldest are given up. */
    readonly maxPending: number;
    /** Tries to send to one notifier within a minute; what is more waits. 0: no limit. */
    readonly perMinute: number;
  };
  /** Whether notifiers get the logs of pods that an action fetched. */
  readonly includeLogs: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** Milliseconds for which notices wait for a notifier that is not usable: somebody may be about to mend its settings. */
const PATIENCE = 24 * 3_600_000;

const NONE: readonly QueuedNotice[] = [];

/** Why a notifier cannot be used with its settings, and where these stand; undefined when it can. */
export function notifierProblem(notifier: Notifier, settings: Readonly<Record<string, unknown>>): string | undefined {
  const decoded = decodeParameters(notifier.settings, ownSettings(notifier, settings));
  if (decoded.ok) return undefined;
  const place = (path: ParameterProblem['path']) => ['notifiers', notifier.id, ...path].join('.');
  return decoded.problems.map(({ path, message }) => `${message} (${place(path)})`).join(', ');
}

/**
 * Sees to it that notifiers get what they are to be told: at least once, each in its own time, over restarts of the server. A
 * notifier whose settings are no good is told nothing.
 */
export class Notices implements NoticePost {
  readonly #options: NoticesOptions;
  readonly #usable = new Map<string, Notifier>();
  /** Of those that have been told something. */
  readonly #queues = new Map<string, NoticeQueue>();

  constructor(options: NoticesOptions) {
    this.#options = options;
    for (const notifier of options.notifiers.values()) {
      if (notifierProblem(notifier, options.settings) === undefined) this.#usable.set(notifier.id, notifier);
    }
  }

  /** Notices that wait or are on their way, by notifier. */
  pending(): readonly (readonly [notifier: string, notices: number])[] {
    return [...this.#queues].map(([id, queue]) => [id, queue.size]);
  }

  of({ alert, number, step }: NoticedStep, ended: NoticedEnd): readonly QueuedNotice[] {
    const { defaults, journal, now, redact, includeLogs } = this.#options;
    if (defaults.length + step.rule.notifiers.length === 0) return NONE;
    const names = new Set([...defaults, ...step.rule.notifiers].map((name) => name.toLowerCase()));
    const told = [...names].filter((name) => this.#usable.has(name));
    if (told.length === 0) return NONE;
    const at = now();
    const plain = noticeOf(step, includeLogs ? ended : withoutLogs(step.head.actionner, ended), at);
    const notice = redact ? withoutSecrets(plain, redact) : plain;
    const rest = { alert, step: number, at, attempts: 0, nextAt: at, notice };
    return told.map((notifier) => ({ id: journal.newNoticeId(), notifier, ...rest }));
  }

  post(notices: readonly QueuedNotice[]): void {
    for (const { notice, ...pending } of notices) this.#queue(pending.notifier)?.add(pending, notice);
  }

  /** Goes on with what the journal has; to be called before anything is posted. Returns how many wait. */
  async resume(): Promise<number> {
    const { journal } = this.#options;
    journal.onResent((notices) => this.#take(notices));
    const open = await journal.openNotices();
    this.#take(open);
    return open.length;
  }

  /** Sends no more; resolves when what was on its way has ended, or is given up. What is left stays in the journal. */
  async stop(graceMilliseconds: number): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop(graceMilliseconds)));
  }

  /** Undefined where the notifier is not usable. */
  #queue(id: string): NoticeQueue | undefined {
    const known = this.#queues.get(id);
    const notifier = this.#usable.get(id);
    if (known || !notifier) return known;
    const made = this.#queueOf(notifier);
    this.#queues.set(id, made);
    return made;
  }

  #queueOf(notifier: Notifier): NoticeQueue {
    const { executor, settings, journal, telemetry, redact, limits, now, random = Math.random } = this.#options;
    const own = ownSettings(notifier, settings);
    return new NoticeQueue({
      send: async (notice, first, signal) => {
        const outcome = await executor.send({ notifier, settings: own, notice, first }, signal);
        return outcome.status === 'failure' && redact ? { ...outcome, error: redact(outcome.error) } : outcome;
      },
      tell: (notice, told) => telemetry.emit({ kind: 'notified', notifier: notifier.id, notice, ...told }),
      ...{ journal, now, random, ...limits },
    });
  }

  #take(notices: readonly PendingNotice[]): void {
    for (const pending of notices) {
      const queue = this.#queue(pending.notifier);
      if (queue) queue.add(pending);
      else if (pending.at < this.#options.now() - PATIENCE) this.#bury(pending).catch(() => undefined);
    }
  }

  /** Nothing waits for that to be on disk: the next start would come to the same end. */
  async #bury({ id, notifier, attempts: attempt }: PendingNotice): Promise<void> {
    const { journal, telemetry } = this.#options;
    const error = 'its notifier has not been usable for a day';
    await journal.settleNotice(id, { kind: 'dead', attempts: attempt, error });
    const queued = await journal.notice(id);
    if (queued) telemetry.emit({ kind: 'notified', notifier, notice: queued.notice, outcome: 'dead', attempt, error });
  }
}

/** What programs read stays as it is, should a secret read the same. */
function withoutSecrets(notice: Notice, redact: Redact): Notice {
  const { time, trace_id, message, status } = notice;
  return { ...redactTexts(notice, redact), time, trace_id, message, status };
}

/** Names of notifiers and of their settings are in lower case by now. */
function ownSettings({ id }: Notifier, settings: NoticesOptions['settings']): ParameterMap {
  return (settings[id] ?? {}) as ParameterMap;
}

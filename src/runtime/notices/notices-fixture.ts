import { vi } from 'vitest';
import type { QueuedNotice } from '../../model/journal.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Transition } from '../../model/transition.ts';
import { MemoryJournal } from '../memory-journal.ts';
import type { NoticeToSend } from '../plugins/run-notifier.ts';
import { failure } from '../test-pipeline.ts';
import { Notices, type NoticesOptions } from './notices.ts';
import { NOTIFIERS, noticed } from './notices-sample.ts';

// For tests: notifiers that do what they are told, on a journal in memory and under a clock that is not real.

export const TAKEN: Outcome = { status: 'success', output: '', objects: {} };
export const AWAY = failure('unreachable');

/** What a try to send comes to. */
export type Reply = (given: NoticeToSend, signal: AbortSignal) => Promise<Outcome> | Outcome;

export interface PostOptions extends Partial<Omit<NoticesOptions, 'journal' | 'limits'>> {
  readonly journal?: MemoryJournal;
  readonly limits?: Partial<NoticesOptions['limits']>;
}

/** A postman whose notifiers reply as they are made to. */
export class Post {
  readonly told: Transition[] = [];
  /** Each try: notifier and what was to be sent. */
  readonly tries: string[] = [];
  readonly journal: MemoryJournal;
  readonly notices: Notices;
  reply: Reply = () => TAKEN;

  constructor({ journal = new MemoryJournal(), limits, ...options }: PostOptions = {}) {
    this.journal = journal;
    this.notices = new Notices({
      executor: {
        send: async (given, signal) => {
          this.tries.push(`${given.notifier.id} ${given.notice.output}`);
          return this.reply(given, signal);
        },
      },
      notifiers: NOTIFIERS,
      settings: {},
      defaults: ['a'],
      journal,
      telemetry: { emit: (transition) => void this.told.push(transition), accepted: () => undefined },
      limits: { attempts: 12, maxPending: 100, perMinute: 0, ...limits },
      includeLogs: true,
      now: Date.now,
      random: () => 1,
      ...options,
    });
  }

  /** Records that a step did something, as plans do, and posts what is to be told of it. */
  async tell(output: string, notifiers: readonly string[] = []): Promise<readonly QueuedNotice[]> {
    const told = await this.record(output, notifiers);
    this.notices.post(told);
    await vi.advanceTimersByTimeAsync(0);
    return told;
  }

  /** The same up to the commit, as if the server ended there. */
  async record(output: string, notifiers: readonly string[] = []): Promise<readonly QueuedNotice[]> {
    const end = { status: 'success', output, objects: {} } as const;
    const told = this.notices.of(noticed(notifiers), { kind: 'action', end });
    const recorded = this.journal.append(1, { kind: 'ended', step: 0, end }, undefined, told);
    await vi.advanceTimersByTimeAsync(1);
    await recorded;
    return told;
  }

  /** Outcomes that were told, with the tries. */
  get outcomes(): readonly string[] {
    return this.told.map((each) =>
      each.kind === 'notified' ? `${each.notifier} ${each.notice.output} ${each.outcome} ${each.attempt}` : each.kind,
    );
  }
}

import { DoorError } from '../../model/door-error.ts';
import type { Progress } from '../../model/journal.ts';
import type { FailureCode } from '../../model/outcome.ts';
import type { RecordedAnswer, StepRecord } from '../plugins/step-record.ts';
import type { StepHistory } from './resume.ts';

export interface JournaledRecordOptions {
  readonly step: number;
  readonly history: StepHistory;
  /** Whether an effect must not be made twice: then it is recorded before it is made. */
  readonly once: boolean;
  readonly append: (progress: Progress) => Promise<void>;
}

type StepProgress = Exclude<Progress, { kind: 'reopened' }>;

export interface JournaledRecord extends StepRecord {
  /** Resolves when all of this try is on disk; undefined when it is. */
  unwritten(): Promise<unknown> | undefined;
}

/** The record of one try of a step: what earlier tries made is answered from the journal, what this one makes goes there. */
export function journaledRecord({ step, history, once, append }: JournaledRecordOptions): JournaledRecord {
  /** Answers of this try by call, given from the record or made by it. */
  const given = new Map<string, number>();
  const give = (call: string) => given.set(call, (given.get(call) ?? 0) + 1);
  const unwritten = new Set<Promise<void>>();
  const record = async (progress: StepProgress) => {
    history.apply(progress);
    const written = append(progress);
    unwritten.add(written);
    await written.finally(() => unwritten.delete(written));
  };

  let looked: StepProgress[] = [];
  /** In front of the effect that follows: in the same transaction or an earlier one. */
  const recordReads = () => {
    for (const read of looked) void record(read).catch(() => undefined);
    looked = [];
  };

  return {
    unwritten: () => (unwritten.size > 0 ? Promise.all(unwritten) : undefined),
    take(call): RecordedAnswer | undefined {
      const answers = history.answersOf(call);
      const position = given.get(call) ?? 0;
      if (position >= answers.length) return undefined;
      give(call);
      return { answer: answers[position] };
    },
    reads: (call, door, answer) => {
      give(call);
      looked.push({ kind: 'answered', step, call, door, answer, read: true });
    },
    begins: async (call, door, ends) => {
      const repeats = history.mayBeMade(call);
      if (once || ends) {
        recordReads();
        await record({ kind: 'began', step, call, door });
      }
      return repeats;
    },
    answers: (call, door, answer) => {
      recordReads();
      give(call);
      return record({ kind: 'answered', step, call, door, answer });
    },
    fails: (call, door, error) => record({ kind: 'failed', step, call, door, code: codeOf(error) }),
  };
}

/** What was not even asked was certainly not made: as with an answer that says so. */
function codeOf(error: unknown): FailureCode {
  if (!(error instanceof DoorError)) return 'bug';
  return error.unasked ? 'busy' : error.code;
}

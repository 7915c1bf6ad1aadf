import { createHash } from 'node:crypto';
import { DoorError } from '../../model/door-error.ts';
import type { CallAnswer, DoorCall, StepLimits, StepTexts } from './messages.ts';
import type { Place, Sandbox, StepInSandbox } from './sandbox.ts';

export interface SandboxedStepOptions {
  readonly sandbox: Sandbox;
  readonly plugin: string;
  readonly texts: StepTexts;
  readonly limits: StepLimits;
  /** Opens a door; `given` is what the plug-in said, of whatever shape. */
  readonly open: (door: string, given: unknown) => Promise<unknown>;
  /** Called at most once. The error of the call that it ended with, if it was one. */
  readonly ended: (end: string, errorOf: (call: number) => unknown) => void;
  readonly cut: (code: 'limit' | 'bug', reason: string) => void;
}

/**
 * One step in the sandbox: takes its calls to the doors, some at a time, and remembers the answers, so that a step that is
 * run again gets the same ones and makes nothing happen twice.
 */
export class SandboxedStep implements StepInSandbox {
  readonly plugin: string;
  readonly texts: StepTexts;
  readonly #options: SandboxedStepOptions;
  /** Answers by a digest of door and arguments, in the order in which they were asked for. */
  readonly #answers = new Map<string, Promise<unknown>[]>();
  #place: Place | undefined;
  #run = newRun();

  constructor(options: SandboxedStepOptions) {
    this.#options = options;
    this.plugin = options.plugin;
    this.texts = options.texts;
    options.sandbox.start(this);
  }

  /** Ends it in the sandbox, if it has not ended there. */
  abort(): void {
    this.#place?.abort();
    this.#run = newRun();
  }

  begins(place: Place): void {
    this.#place = place;
    this.#run = newRun();
  }

  called(calls: readonly DoorCall[]): void {
    const run = this.#run;
    const { limits, cut } = this.#options;
    run.calls += calls.length;
    run.waiting.push(...calls);
    if (run.calls > limits.calls || run.open + run.waiting.length > limits.openCalls + limits.waitingCalls) {
      this.abort();
      cut('limit', 'it made too many calls');
      return;
    }
    this.#openWaiting(run);
  }

  ended(end: string): void {
    const { errors } = this.#run;
    this.#options.ended(end, (call) => errors.get(call));
  }

  cut(code: 'limit' | 'bug', reason: string): void {
    this.#options.cut(code, reason);
  }

  #openWaiting(run: Run): void {
    while (run.open < this.#options.limits.openCalls) {
      const call = run.waiting.shift();
      if (!call) return;
      run.open++;
      void this.#perform(run, call);
    }
  }

  async #perform(run: Run, call: DoorCall): Promise<void> {
    const answer = await this.#answer(run, call)
      .then((value) => this.#answerText({ call: call.call, value }))
      .catch((error: unknown) => {
        run.errors.set(call.call, error);
        return this.#answerText({ call: call.call, ...readFailure(error) });
      });
    if (run !== this.#run) return;
    run.open--;
    run.answered += answer.length;
    if (run.answered > this.#options.limits.answered) {
      this.abort();
      this.#options.cut('limit', 'it asked for too much');
      return;
    }
    this.#place?.answer(call.call, answer);
    this.#openWaiting(run);
  }

  #answerText(answer: CallAnswer): string {
    const text = JSON.stringify(answer);
    if (text.length > this.#options.limits.message) throw new Error('the answer of the door is too long');
    return text;
  }

  /** What was answered to the same call in the run before this one, or else what the door answers now. */
  #answer(run: Run, { door, given }: DoorCall): Promise<unknown> {
    // Ten thousand arguments of a megabyte must not be kept until the step ends.
    const key = createHash('sha256').update(`${door} ${given}`).digest('base64');
    const count = run.asked.get(key) ?? 0;
    run.asked.set(key, count + 1);
    const known = this.#answers.get(key) ?? [];
    const answer = known[count] ?? this.#open(door, given);
    known[count] = answer;
    this.#answers.set(key, known);
    return answer;
  }

  async #open(door: string, given: string): Promise<unknown> {
    return this.#options.open(door, JSON.parse(given));
  }
}

/** What the code is told of a call that failed. */
function readFailure(error: unknown): Omit<Extract<CallAnswer, { readonly error: string }>, 'call'> {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof DoorError ? { error: message, code: error.code } : { error: message };
}

/** One run of the step's code, from its beginning. */
interface Run {
  readonly asked: Map<string, number>;
  readonly errors: Map<number, unknown>;
  waiting: DoorCall[];
  open: number;
  calls: number;
  /** UTF-16 units of all answers. They are remembered as long as the step runs. */
  answered: number;
}

function newRun(): Run {
  return { asked: new Map(), errors: new Map(), waiting: [], open: 0, calls: 0, answered: 0 };
}

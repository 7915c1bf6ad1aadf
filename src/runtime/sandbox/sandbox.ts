import { TalonError } from '../../model/talon-error.ts';
import type { Link, OpenLink } from './link.ts';
import type { DoorCall, FromSandbox, StepTexts } from './messages.ts';

/** A step, as the sandbox needs to know it. */
export interface StepInSandbox {
  readonly plugin: string;
  readonly texts: StepTexts;
  /** It is run from its beginning there: for the first time, or again because the sandbox was replaced. */
  begins(place: Place): void;
  called(calls: readonly DoorCall[]): void;
  /** @param end JSON of a GuestEnd */
  ended(end: string): void;
  cut(code: 'limit' | 'bug', reason: string): void;
}

/** Where a step is run. Of no use any more once the step has ended or begins elsewhere. */
export interface Place {
  answer(call: number, answer: string): void;
  /** Ends a step that has not ended by itself. */
  abort(): void;
}

/** When a silent sandbox counts as stuck. Milliseconds. */
export interface Heartbeat {
  readonly interval: number;
  /** A beat that comes so much too late does not count: this thread was late itself, and messages may lie there unread. */
  readonly late: number;
  readonly silence: number;
}
export const HEARTBEAT: Heartbeat = { interval: 100, late: 125, silence: 600 };

/** Replacements through no fault of its own that a step lives through when nobody knows whose fault they are. */
const MOST_RESTARTS = 5;
/** Milliseconds before another try when a sandbox could not even start. */
const START_PAUSE = 1_000;
/** Milliseconds for which a plug-in that made a replacement necessary is kept away from the others. */
const ISOLATION = 30_000;

/** Told why no steps can be run at the moment, and, with an empty reason, that they can again. */
export type OnDegraded = (reason: string) => void;

interface RunningStep {
  readonly step: StepInSandbox;
  restarts: number;
}

/**
 * The sandbox as the main thread sees it: one that is always there. What hangs or crashes is replaced, the step that had the
 * thread ends, and all others begin again; those of the same plug-in in another sandbox, so that a crowd of them ends that one
 * alone.
 */
export class Sandbox {
  readonly #open: OpenLink;
  readonly #heartbeat: Heartbeat;
  readonly #isIsolation: boolean;
  readonly #onDegraded: OnDegraded;
  readonly #steps = new Map<number, RunningStep>();
  /** Plug-ins that made a replacement necessary, and when. */
  readonly #suspects = new Map<string, number>();
  #isolation: Sandbox | undefined;
  #link: Link;
  #isReady = false;
  #hasStarted = false;
  #hasEnded = false;
  #lastStep = 0;
  #silence = 0;
  #lastBeat = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #started: Promise<void>;
  #settleStart: (error?: Error) => void = () => undefined;

  constructor(open: OpenLink, heartbeat: Heartbeat, onDegraded: OnDegraded = () => undefined, isIsolation = false) {
    this.#open = open;
    this.#onDegraded = onDegraded;
    this.#heartbeat = heartbeat;
    this.#isIsolation = isIsolation;
    this.#started = new Promise((resolve, reject) => {
      this.#settleStart = (error) => (error ? reject(error) : resolve());
    });
    this.#started.catch(() => undefined);
    this.#link = this.#newLink();
  }

  /** Resolves when steps can be run; rejects when the first thread ended before that. */
  ready(): Promise<void> {
    return this.#started;
  }

  start(step: StepInSandbox): void {
    if (this.#isSuspect(step.plugin)) {
      this.#isolate().start(step);
      return;
    }
    this.#lastStep = (this.#lastStep % 0x7fff_ffff) + 1;
    this.#steps.set(this.#lastStep, { step, restarts: 0 });
    this.#begin(this.#lastStep, step);
    this.#startBeating();
  }

  end(): void {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#link.kill();
    this.#isolation?.end();
  }

  #newLink(): Link {
    this.#isReady = false;
    this.#silence = 0;
    return this.#open({
      message: (message) => this.#receive(message),
      ended: (reason) => this.#ended(reason),
    });
  }

  #receive(message: FromSandbox): void {
    this.#silence = 0;
    if (message.kind === 'ready') {
      this.#isReady = true;
      this.#hasStarted = true;
      this.#settleStart();
      this.#onDegraded('');
      for (const [number, { step }] of this.#steps) this.#sendStart(number, step);
      return;
    }
    if (message.kind === 'pong') return;
    const step = this.#steps.get(message.step)?.step;
    // One that was given up meanwhile.
    if (!step) return;
    if (message.kind === 'cut' || message.end !== undefined) this.#steps.delete(message.step);
    if (message.kind === 'cut') step.cut(message.code, message.reason);
    else {
      step.called(message.calls);
      if (message.end !== undefined) step.ended(message.end);
    }
  }

  #begin(number: number, step: StepInSandbox): void {
    const link = this.#link;
    const isHere = () => this.#isReady && link === this.#link;
    step.begins({
      answer: (call, answer) => {
        if (isHere() && this.#steps.has(number)) link.send({ kind: 'answer', step: number, call, answer });
      },
      abort: () => {
        if (this.#steps.delete(number) && isHere()) link.send({ kind: 'abort', step: number });
      },
    });
    if (this.#isReady) this.#sendStart(number, step);
  }

  #sendStart(number: number, { plugin, texts }: StepInSandbox): void {
    this.#link.send({ kind: 'start', step: number, plugin, ...texts });
  }

  #ended(reason: string): void {
    if (this.#hasEnded) return;
    if (this.#isReady) {
      this.#replace(`the sandbox ended: ${reason}`);
      return;
    }
    const problem = `the sandbox for actionners did not start: ${reason}`;
    this.#settleStart(new TalonError('actionners', problem));
    // A first thread that does not start is told by `ready`.
    if (this.#hasStarted || this.#isIsolation) this.#onDegraded(problem);
    setTimeout(() => {
      if (!this.#hasEnded) this.#link = this.#newLink();
    }, START_PAUSE).unref();
  }

  #replace(reason: string): void {
    const culprit = this.#link.current();
    this.#link.kill();
    const guilty = this.#steps.get(culprit)?.step;
    this.#steps.delete(culprit);
    if (guilty && !this.#isIsolation) this.#suspects.set(guilty.plugin, performance.now());
    this.#link = this.#newLink();
    for (const [number, running] of this.#steps) this.#beginAgain(number, running, guilty, reason);
    guilty?.cut('limit', reason);
  }

  #beginAgain(number: number, running: RunningStep, guilty: StepInSandbox | undefined, reason: string): void {
    const { step } = running;
    if (!guilty) running.restarts++;
    if (running.restarts > MOST_RESTARTS) {
      this.#steps.delete(number);
      step.cut('bug', reason);
    } else if (this.#isSuspect(step.plugin)) {
      this.#steps.delete(number);
      this.#isolate().start(step);
    } else this.#begin(number, step);
  }

  #isSuspect(plugin: string): boolean {
    const since = this.#suspects.get(plugin);
    return since !== undefined && performance.now() - since < ISOLATION;
  }

  /** The sandbox for suspects. It is there for as long as there are any. */
  #isolate(): Sandbox {
    if (this.#isolation) return this.#isolation;
    const isolation = new Sandbox(this.#open, this.#heartbeat, this.#onDegraded, true);
    this.#isolation = isolation;
    const timer = setInterval(() => {
      if (isolation.#steps.size > 0 || [...this.#suspects.keys()].some((plugin) => this.#isSuspect(plugin))) return;
      clearInterval(timer);
      isolation.end();
      this.#isolation = undefined;
    }, ISOLATION).unref();
    return isolation;
  }

  #startBeating(): void {
    if (this.#timer) return;
    this.#lastBeat = performance.now();
    this.#silence = 0;
    this.#timer = setInterval(() => this.#beat(), this.#heartbeat.interval).unref();
  }

  #beat(): void {
    if (this.#steps.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    const passed = now - this.#lastBeat;
    this.#lastBeat = now;
    if (!this.#isReady) return;
    const { interval, late, silence } = this.#heartbeat;
    if (passed < interval + late) this.#silence += passed;
    if (this.#silence > silence) {
      this.#replace(`it kept the sandbox busy for ${Math.round(this.#silence)} ms without a pause`);
      return;
    }
    this.#link.send({ kind: 'ping', number: Math.round(now) });
  }
}

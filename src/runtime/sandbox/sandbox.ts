import type { Link, OpenLink } from './link.ts';
import type { DoorCall, FromSandbox } from './messages.ts';

/** A step, as the sandbox needs to know it. */
export interface StepInSandbox {
  readonly plugin: string;
  /** JSON of a StepInput. */
  readonly input: string;
  /** It is run again from its beginning, because the sandbox was replaced. */
  restarted(): void;
  called(calls: readonly DoorCall[]): void;
  /** @param end JSON of a GuestEnd */
  ended(end: string): void;
  cut(code: 'limit' | 'bug', reason: string): void;
}

/** When a silent sandbox counts as stuck. Milliseconds. */
export interface Heartbeat {
  readonly interval: number;
  readonly silence: number;
}
export const HEARTBEAT: Heartbeat = { interval: 250, silence: 600 };

/** Replacements through no fault of its own that a step lives through when nobody knows whose fault they are. */
const MOST_RESTARTS = 5;
/** Milliseconds before another try when a sandbox could not even start. */
const START_PAUSE = 1_000;
/** Milliseconds for which a plug-in that made a replacement necessary is suspected of more. */
const SUSPICION = 30_000;

interface RunningStep {
  readonly step: StepInSandbox;
  restarts: number;
}

/**
 * The sandbox as the main thread sees it: one that is always there. What hangs or crashes is replaced, the step that had the
 * thread ends, and all others begin again.
 */
export class Sandbox {
  readonly #open: OpenLink;
  readonly #heartbeat: Heartbeat;
  readonly #steps = new Map<number, RunningStep>();
  readonly #suspects = new Map<string, number>();
  #link: Link;
  #isReady = false;
  #hasEnded = false;
  #lastStep = 0;
  #silence = 0;
  #lastBeat = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #started: Promise<void>;
  #settleStart: (error?: Error) => void = () => undefined;

  constructor(open: OpenLink, heartbeat: Heartbeat) {
    this.#open = open;
    this.#heartbeat = heartbeat;
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

  /** Begins a step. @returns its number, by which it is aborted and answered */
  start(step: StepInSandbox): number {
    this.#lastStep = (this.#lastStep % 0x7fff_ffff) + 1;
    this.#steps.set(this.#lastStep, { step, restarts: 0 });
    if (this.#isReady) this.#sendStart(this.#lastStep, step);
    this.#startBeating();
    return this.#lastStep;
  }

  answer(number: number, call: number, answer: string): void {
    if (this.#isReady && this.#steps.has(number)) this.#link.send({ kind: 'answer', step: number, call, answer });
  }

  /** Ends a step that has not ended by itself. */
  abort(number: number): void {
    if (this.#steps.delete(number) && this.#isReady) this.#link.send({ kind: 'abort', step: number });
  }

  end(): void {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#link.kill();
  }

  #newLink(): Link {
    this.#isReady = false;
    this.#silence = 0;
    const now = performance.now();
    const suspects = [...this.#suspects].filter(([, since]) => now - since < SUSPICION).map(([plugin]) => plugin);
    return this.#open(suspects, {
      message: (message) => this.#receive(message),
      ended: (reason) => this.#ended(reason),
    });
  }

  #receive(message: FromSandbox): void {
    this.#silence = 0;
    if (message.kind === 'ready') {
      this.#isReady = true;
      this.#settleStart();
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

  #sendStart(number: number, { plugin, input }: StepInSandbox): void {
    this.#link.send({ kind: 'start', step: number, plugin, input });
  }

  #ended(reason: string): void {
    if (this.#hasEnded) return;
    if (this.#isReady) {
      this.#replace(`the sandbox ended: ${reason}`);
      return;
    }
    this.#settleStart(new Error(`the sandbox did not start: ${reason}`));
    setTimeout(() => {
      if (!this.#hasEnded) this.#link = this.#newLink();
    }, START_PAUSE).unref();
  }

  #replace(reason: string): void {
    const culprit = this.#link.current();
    this.#link.kill();
    const guilty = this.#steps.get(culprit);
    this.#steps.delete(culprit);
    if (guilty) this.#suspects.set(guilty.step.plugin, performance.now());
    this.#link = this.#newLink();
    for (const [number, running] of this.#steps) {
      if (!guilty) running.restarts++;
      if (running.restarts <= MOST_RESTARTS) running.step.restarted();
      else {
        this.#steps.delete(number);
        running.step.cut('bug', reason);
      }
    }
    guilty?.step.cut('limit', reason);
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
    // When this thread was late itself, messages may lie there unread.
    if (passed < this.#heartbeat.interval * 1.5) this.#silence += passed;
    if (this.#silence > this.#heartbeat.silence) {
      this.#replace(`it kept the sandbox busy for ${Math.round(this.#silence)} ms without a pause`);
      return;
    }
    this.#link.send({ kind: 'ping', number: Math.round(now) });
  }
}

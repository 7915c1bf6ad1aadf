import type { Acted, Conclusion, Progress } from '../../model/journal.ts';
import type { Artifact, FailureCode, StepEnd } from '../../model/outcome.ts';
import type { PlannedAction, PlannedRule } from '../../model/rule.ts';
import { artifactsIn, type PodTarget } from '../../model/targets.ts';
import { goesOn } from './flow.ts';

/** One action of a plan and its number in it. */
export interface PlannedStep {
  readonly number: number;
  readonly rule: PlannedRule;
  readonly action: PlannedAction;
}

type StepProgress = Exclude<Progress, { kind: 'reopened' }>;

/** After these nobody knows whether an effect was made. All others say that it was not. */
const UNCERTAIN: readonly FailureCode[] = ['unreachable', 'deadline', 'interrupted', 'limit', 'bug'];

/** What is known of one step. */
export class StepHistory {
  /** How it ended; absent while it is to be run. */
  end: StepEnd | undefined;
  /** Number of the try that began last. */
  attempt = 0;
  /** What its action ended with, where the artifact is to be stored. */
  acted: { readonly outcome: Acted; readonly made: number } | undefined;
  /** Whether an operator lets it go on where a guard would park it. */
  allowed = false;
  /** Answers of the effects that were made, by call, in the order in which they were given. */
  readonly #answers = new Map<string, unknown[]>();
  /** What was looked up before an effect, by call, since the beginning of the try that made it. */
  readonly #reads = new Map<string, unknown[]>();
  /** Effects that began and of which nobody knows whether they were made, by call. */
  readonly #open = new Map<string, number>();
  /** The same, of earlier runs: they may be made again. */
  readonly #maybe = new Set<string>();
  #pod: PodTarget | undefined;
  #trying = false;
  #cutOff = 0;

  /** Whether an effect is in an unknown state. Known only of effects whose begin is recorded. */
  get uncertain(): boolean {
    return this.#open.size > 0;
  }

  /**
   * The very pod on which the step has had effects, where guards had found it. It stays the target of the step: the next pod
   * of that name has nothing to do with the alert.
   */
  get actedOn(): PodTarget | undefined {
    return this.#mayHaveActed ? this.#pod : undefined;
  }

  /** Recorded answers for a call, in their order. What was looked up counts once an effect of the step may have been made. */
  answersOf(call: string): readonly unknown[] {
    return this.#answers.get(call) ?? (this.#mayHaveActed ? this.#reads.get(call) : undefined) ?? [];
  }

  /** Whether an effect was under way, and nobody knows whether it was made. */
  mayBeMade(call: string): boolean {
    return this.#open.has(call) || this.#maybe.has(call);
  }

  get #mayHaveActed(): boolean {
    return this.#answers.size + this.#open.size + this.#maybe.size > 0;
  }

  /**
   * Tries since its last effect that neither ended nor are followed by another one on purpose: the server ended in the middle of
   * them. A step that gets further with each try is not what ends the server.
   */
  get cutOff(): number {
    return this.#cutOff + Number(this.#trying);
  }

  /** Artifacts that were made and may still be needed. */
  get artifacts(): readonly Artifact[] {
    const made = [...this.#answers.values()].flat().flatMap(artifactsIn);
    return this.acted ? [...made, this.acted.outcome.artifact] : made;
  }

  apply(progress: StepProgress): void {
    switch (progress.kind) {
      case 'started':
        this.#cutOff = this.cutOff;
        this.#trying = true;
        this.attempt = progress.attempt;
        this.#beginTry(progress.pod);
        return;
      case 'began':
        this.#open.set(progress.call, (this.#open.get(progress.call) ?? 0) + 1);
        return;
      case 'answered':
        if (progress.read) add(this.#reads, progress.call, progress.answer);
        else this.#answered(progress.call, progress.answer);
        return;
      case 'failed':
        if (!UNCERTAIN.includes(progress.code)) this.#settle(progress.call);
        return;
      case 'retrying':
        this.#trying = false;
        return;
      case 'reserved':
        return;
      case 'acted':
        this.#trying = false;
        this.acted = progress;
        return;
      case 'ended':
        this.#trying = false;
        this.end = progress.end;
        return;
    }
  }

  /** Effects in an unknown state may be made again. */
  forgetOpen(): void {
    for (const call of this.#open.keys()) this.#maybe.add(call);
    this.#open.clear();
  }

  /** An operator wants it to be run again if it failed or was stopped. Effects that were made stay made. */
  reopen(allow: boolean): void {
    this.#cutOff = 0;
    this.#trying = false;
    if (!this.end || !isError(this.end)) return;
    if (allow && this.end.status === 'parked') this.allowed = true;
    this.end = undefined;
    this.attempt = 0;
    this.forgetArtifacts();
    this.#open.clear();
    this.#maybe.clear();
    this.#reads.clear();
  }

  /** The artifact of the action is not to be had any more: it must be made anew. */
  forgetArtifacts(): void {
    this.acted = undefined;
    for (const [call, answers] of this.#answers) {
      if (answers.some((answer) => artifactsIn(answer).length > 0)) this.#answers.delete(call);
    }
  }

  /** Unless the step may have had effects, a try looks everything up anew. */
  #beginTry(pod: PodTarget | undefined): void {
    if (this.#mayHaveActed) return;
    this.#reads.clear();
    this.#pod = pod;
  }

  #answered(call: string, answer: unknown): void {
    add(this.#answers, call, answer);
    this.#settle(call);
    this.#cutOff = 0;
  }

  #settle(call: string): void {
    this.#maybe.delete(call);
    const count = this.#open.get(call) ?? 0;
    if (count > 1) this.#open.set(call, count - 1);
    else this.#open.delete(call);
  }
}

function add(answers: Map<string, unknown[]>, call: string, answer: unknown): void {
  const known = answers.get(call);
  if (known) known.push(answer);
  else answers.set(call, [answer]);
}

const DONE: Conclusion = { state: 'done', reason: '' };

/** What is known of a plan: of each step that anything has happened to, by its number. */
export class PlanHistory {
  /** In the order in which they were begun first, which is that of their numbers. */
  readonly #steps = new Map<number, StepHistory>();

  /** @param progress as the journal has it, in order */
  constructor(progress: readonly Progress[] = []) {
    for (const each of progress) {
      if (each.kind !== 'reopened') this.step(each.step).apply(each);
      else for (const step of this.#steps.values()) step.reopen(each.allow ?? false);
    }
  }

  step(number: number): StepHistory {
    const known = this.#steps.get(number);
    if (known) return known;
    const made = new StepHistory();
    this.#steps.set(number, made);
    return made;
  }

  /** Artifacts that steps which have not ended may still need. */
  artifacts(): readonly Artifact[] {
    return [...this.#steps.values()].flatMap((step) => (step.end ? [] : step.artifacts));
  }

  get isEmpty(): boolean {
    return this.#steps.size === 0;
  }

  /** Whether anything has happened to a step. */
  knows(number: number): boolean {
    return this.#steps.has(number);
  }

  /**
   * The step that is to be run now, or undefined when the plan is over. Alive or after a restart, this is the one place that
   * decides it: rules in their order, in each the actions up to the one that ends it, nothing after a step that is parked.
   */
  next(rules: readonly PlannedRule[]): PlannedStep | undefined {
    let number = 0;
    for (const rule of rules) {
      let running = true;
      for (const action of rule.actions) {
        const step = { number: number++, rule, action };
        if (!running) continue;
        const end = this.#steps.get(step.number)?.end;
        if (!end) return step;
        if (end.status === 'parked') return undefined;
        running = goesOn(action, isError(end));
      }
    }
    return undefined;
  }

  /** The state of a plan that is over, and the reason where it is not `done`. */
  conclusion(): Conclusion {
    let failed: StepEnd | undefined;
    for (const { end } of this.#steps.values()) {
      if (end?.status === 'parked') return { state: 'parked', reason: reasonOf(end) };
      if (end && !failed && isError(end)) failed = end;
    }
    return failed ? { state: 'failed', reason: reasonOf(failed) } : DONE;
  }
}

/** Whether the flow takes an end as an error. */
export function isError({ status }: StepEnd): boolean {
  return status === 'failure' || status === 'denied' || status === 'parked';
}

function reasonOf(end: StepEnd): string {
  switch (end.status) {
    case 'failure':
      return end.error;
    case 'denied':
    case 'parked':
      return `${end.policy}: ${end.reason}`;
    default:
      return '';
  }
}

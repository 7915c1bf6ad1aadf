import type { Actionner, Output } from '../../model/definition.ts';
import type { Journal, Stored } from '../../model/journal.ts';
import type { Outcome, StepEnd } from '../../model/outcome.ts';
import type { Telemetry, Transition } from '../../model/transition.ts';
import type { Apis } from '../apis.ts';
import type { Contexts } from '../contexts.ts';
import { enrich, type Step } from '../enrich.ts';
import type { NoticePost } from '../notices/notices.ts';
import type { Executor } from '../plugins/execute.ts';
import { failure } from '../plugins/run-script.ts';
import { type AttemptSettings, Attempts, attemptLimits } from './attempts.ts';
import type { PlanRun } from './plan-run.ts';
import type { PlannedStep } from './resume.ts';
import { runTries } from './step-tries.ts';
import { checkStore, goOnStoring, notStored, storeOf } from './store-run.ts';

export interface StepStages {
  readonly actionners: ReadonlyMap<string, Actionner>;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly executor: Pick<Executor, 'missing' | 'run' | 'check' | 'store'>;
  readonly artifacts: Artifacts;
  readonly contexts: Pick<Contexts, 'of'>;
  readonly apis: Apis;
  readonly notices: NoticePost;
  readonly journal: Journal;
  readonly telemetry: Telemetry;
  /** Whether all rules are dry runs. */
  readonly dryRun: boolean;
  /** Seconds for one try of an action where its rule does not say; 0: as its actionner declares. */
  readonly actionTimeout: number;
  readonly retry: AttemptSettings;
  /** Aborted when the server begins to stop: what waits leaves, what runs goes on. */
  readonly stopping: AbortSignal;
  /** Aborted when the time for that is over: what runs is given up. */
  readonly signal: AbortSignal;
}

/** The artifacts that wait for their output. */
export interface Artifacts {
  /** Whether it is still there. */
  has(handle: string): boolean;
  /** Removes one that nobody needs any more. */
  discard(handle: string): void;
}

/** How a step ended, and what is told of it. */
export interface StepResult {
  readonly step: Step;
  readonly end: StepEnd;
  /** What became of its artifact, if it has an output. */
  readonly stored?: Stored;
  readonly transition: Transition;
  readonly notifies: boolean;
}

const DRY_RUN: Outcome = { status: 'success', output: 'no action, dry-run is enabled', objects: {} };

/**
 * One step of a plan: enrich; in a dry run no more than that; then what the actionner requires, and the tries. A step that was
 * interrupted by the end of the server is begun anew, unless that could do twice what must be done once.
 */
export async function runStep(plan: PlanRun, planned: PlannedStep, stages: StepStages): Promise<StepResult> {
  const { rule, action, number } = planned;
  const step = enrich(plan.head, plan.event, rule, action);
  if (stages.dryRun || rule.dry_run) return dryRun(step);
  const actionner = stages.actionners.get(action.actionner);
  if (!actionner) return checkFailed(step, failure('refused', `unknown actionner '${action.actionner}'`));
  const missing = stages.executor.missing(actionner, plan.event);
  if (missing !== undefined) return checkFailed(step, failure('missing-field', missing));

  const running = { plan, number, actionner, step: await withContexts(step, actionner, stages) };
  const history = plan.history.step(number);
  const { idempotent } = actionner.behaviour;
  const repeatable = action.on_interrupt === undefined ? idempotent : action.on_interrupt === 'retry';
  const begun = await goOnStoring(running, repeatable, stages);
  if (begun) return begun;
  if (repeatable) history.forgetOpen();
  else if (history.uncertain) return ended(step, INTERRUPTED);
  const unstorable = await checkStore(running, stages);
  if (unstorable) return notStored(step, unstorable);
  const limits = attemptLimits(action, idempotent, stages.retry);
  const attempts = new Attempts(limits, history.attempt, () => performance.now());
  const end = await runTries({ ...running, history, repeatable, attempts }, stages);
  return (await storeOf(running, end, stages)) ?? resultOf(step, end);
}

/** The step with what the rule wants its action to know beside the alert. What cannot be had is told, and left out. */
async function withContexts(step: Step, { usesContext }: Actionner, stages: StepStages): Promise<Step> {
  const { head, event, rule, action } = step;
  if (!usesContext || action.additional_contexts.length === 0) return step;
  const { values, problems } = await stages.contexts.of(action.additional_contexts, event, stages.signal);
  for (const problem of problems) stages.telemetry.emit({ kind: 'context_failed', step: head, ...problem });
  return enrich(head.alert, event, rule, action, values);
}

const INTERRUPTED = failure(
  'interrupted',
  'the server ended while this was being done, and nobody knows whether it happened: look, then `talon journal retry`',
);

function resultOf(step: Step, end: StepEnd | 'dry_run'): StepResult {
  if (end === 'dry_run') return dryRun(step);
  switch (end.status) {
    case 'denied':
    case 'parked': {
      const { status: kind, policy, reason, objects } = end;
      return { step, end, transition: { kind, step: step.head, policy, reason, objects }, notifies: true };
    }
    case 'failure':
      return isFailedCheck(end) ? checkFailed(step, end) : ended(step, end);
    default:
      return ended(step, end);
  }
}

/**
 * Falco Talon looks whether the target exists before it acts, and neither counts nor notifies a failure of that. Here the
 * action itself finds out, which saves a request.
 */
function isFailedCheck({ code }: Outcome & { status: 'failure' }): boolean {
  return code === 'missing-field' || code === 'not-found';
}

function dryRun(step: Step): StepResult {
  return { step, end: DRY_RUN, transition: { kind: 'dry_run', step: step.head }, notifies: false };
}

function checkFailed(step: Step, end: Outcome & { status: 'failure' }): StepResult {
  const { error, objects } = end;
  return { step, end, transition: { kind: 'check_failed', step: step.head, error, objects }, notifies: false };
}

function ended(step: Step, outcome: Outcome): StepResult {
  return { step, end: outcome, transition: { kind: 'ended', step: step.head, outcome }, notifies: true };
}

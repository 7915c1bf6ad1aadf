import type { Actionner } from '../../model/definition.ts';
import type { Outcome, StepEnd } from '../../model/outcome.ts';
import { enrich, type Step } from '../enrich.ts';
import { failure } from '../plugins/run-script.ts';
import { Attempts, attemptLimits } from './attempts.ts';
import type { PlannedStep } from './resume.ts';
import type { RunningPlan } from './running-plan.ts';
import type { StepResult, StepStages } from './step-stages.ts';
import { runTries } from './step-tries.ts';
import { checkStore, goOnStoring, notStored, storeOf } from './store-run.ts';

const DRY_RUN: Outcome = { status: 'success', output: 'no action, dry-run is enabled', objects: {} };

/**
 * One step of a plan: enrich; in a dry run no more than that; then what the actionner requires, and the tries. A step that was
 * interrupted by the end of the server is begun anew, unless that could do twice what must be done once.
 */
export async function runStep(plan: RunningPlan, planned: PlannedStep, stages: StepStages): Promise<StepResult> {
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

import type { Conclusion } from '../../model/journal.ts';
import type { PlannedStep } from './resume.ts';
import type { RunningPlan } from './running-plan.ts';
import { runStep } from './step-run.ts';
import type { StepResult, StepStages } from './step-stages.ts';

export interface PlanStages extends StepStages {
  /** Whether alerts are logged here, once their plan is run, because they were not logged when they came in. */
  readonly logsEvents: boolean;
}

/**
 * Runs what is left of a plan: step after step, the next one only when the end of the one before is on disk. Never rejects.
 * When the server stops, the plan stays open in the journal.
 */
export async function runPlan(plan: RunningPlan, stages: PlanStages): Promise<void> {
  const { telemetry, journal, stopping } = stages;
  let rule = '';
  try {
    announce(plan, stages);
    let step = plan.history.next(plan.rules);
    if (!step) await close(plan, stages);
    while (step) {
      stopping.throwIfAborted();
      rule = step.rule.rule;
      if (isNewRule(plan, step)) telemetry.emit({ kind: 'match', alert: plan.head, rule });
      step = await endStep(plan, step, await runStep(plan, step, stages), stages);
    }
  } catch (error) {
    if (stopping.aborted) return;
    const text = error instanceof Error ? error.message : String(error);
    telemetry.emit({ kind: 'crashed', alert: plan.head, error: text, rule });
    await journal.close(plan.alert.id, { state: 'failed', reason: `a fault of Talon: ${text}` }).catch(() => undefined);
  }
}

function announce({ alert, head, resumed, history }: RunningPlan, { telemetry, logsEvents }: PlanStages): void {
  if (resumed) telemetry.emit({ kind: 'resumed', alert: head, id: alert.id });
  if (logsEvents && history.isEmpty) telemetry.emit({ kind: 'event', alert: head });
}

/** Whether nothing of the rule was run yet. */
function isNewRule({ history }: RunningPlan, { rule, action, number }: PlannedStep): boolean {
  return action === rule.actions[0] && !history.knows(number);
}

/** Records the end of a step, and with it that of the plan if it was the last one; then tells of it. Returns the next step. */
async function endStep(
  plan: RunningPlan,
  { number }: PlannedStep,
  { step, end, stored, transition, notifies }: StepResult,
  stages: PlanStages,
): Promise<PlannedStep | undefined> {
  const { journal, telemetry, notices } = stages;
  const ended = { kind: 'ended', step: number, end, ...(stored && { stored }) } as const;
  const history = plan.history.step(number);
  const { artifacts } = history;
  history.apply(ended);
  const next = plan.history.next(plan.rules);
  const conclusion = next ? undefined : plan.history.conclusion();
  const about = { alert: plan.alert.id, number, step };
  const told = notifies ? notices.of(about, stored ? { kind: 'output', ...stored } : { kind: 'action', end }) : [];
  const recorded = journal.append(plan.alert.id, ended, conclusion, told);
  // Nothing runs meanwhile that would need the place.
  if (next) await plan.slot.without(() => recorded);
  else plan.slot.release();
  await recorded;
  for (const { handle } of artifacts) stages.artifacts.discard(handle);
  telemetry.emit(transition);
  notices.post(told);
  if (conclusion) tellClosed(plan, conclusion, stages);
  return next;
}

/** For a plan all of whose steps had ended before a restart, but not the plan. */
async function close(plan: RunningPlan, stages: PlanStages): Promise<void> {
  const conclusion = plan.history.conclusion();
  await stages.journal.close(plan.alert.id, conclusion);
  tellClosed(plan, conclusion, stages);
}

function tellClosed({ alert, head }: RunningPlan, { state, reason }: Conclusion, { telemetry }: PlanStages): void {
  if (state !== 'done') telemetry.emit({ kind: 'closed', alert: head, id: alert.id, state, reason });
}

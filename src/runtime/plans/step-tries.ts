import { setTimeout as sleep } from 'node:timers/promises';
import type { Actionner } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Api } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { Progress } from '../../model/journal.ts';
import type { Outcome, StepEnd } from '../../model/outcome.ts';
import type { PodTarget } from '../../model/targets.ts';
import { startDeadline } from '../deadline.ts';
import type { Step } from '../enrich.ts';
import type { Verdict } from '../guards/guard.ts';
import { functionPayload } from '../plugins/function-payload.ts';
import type { Attempts } from './attempts.ts';
import { journaledRecord } from './journaled-record.ts';
import type { StepHistory } from './resume.ts';
import type { RunningPlan } from './running-plan.ts';
import { stepDeadline } from './step-deadline.ts';
import type { StepStages } from './step-stages.ts';

/** A step that may be tried. */
export interface TriedStep {
  readonly plan: RunningPlan;
  readonly number: number;
  readonly step: Step;
  readonly actionner: Actionner;
  readonly history: StepHistory;
  /** Whether its effects may be made twice. */
  readonly repeatable: boolean;
  readonly attempts: Attempts;
}

type Failure = Outcome & { readonly status: 'failure' };
type StepProgress = Exclude<Progress, { kind: 'reopened' }>;

/** Why a try whose time went into waiting for the journal is made again; it does not count. */
const HELD_UP = 'the journal could not be written in time';

/** Milliseconds for what guards look up. */
const GUARD_DEADLINE = 30_000;

/**
 * Tries a step until it has an end. Each try asks the guard anew: the target may be another one by now. Where the step waits,
 * for a busy API or for one that does not answer, it gives its place among the running ones to another plan.
 */
export async function runTries(tried: TriedStep, stages: StepStages): Promise<StepEnd | 'dry_run'> {
  const { plan, actionner, attempts } = tried;
  const apis = new Set(actionner.behaviour.uses.map((door) => DOORS[door].api));
  const said = { started: false, monitored: false };
  for (;;) {
    const end = (await waitForApis(apis, tried, stages)) ?? (await tryOnce(tried, stages, said));
    if (end === 'held_up') continue;
    if (end === 'dry_run' || end.status !== 'failure') return end;
    const attempt = attempts.current;
    const wait = mayRepeat(tried) ? attempts.waitAfter(end) : undefined;
    if (wait === undefined) return end;
    tellRetry({ attempt, error: end.error, wait }, tried, stages);
    // For an API that is known not to answer the next round waits, and goes on as soon as it does.
    if (stages.apis.silent(apis)) continue;
    await pause(wait, plan, stages);
  }
}

/** Waits before another try, without a place among the plans that run. */
export function pause(milliseconds: number, { slot }: RunningPlan, { stopping }: StepStages): Promise<void> {
  return slot.without(() => sleep(milliseconds, undefined, { signal: stopping }));
}

function tellRetry(
  { attempt, error, wait }: { readonly attempt: number; readonly error: string; readonly wait: number },
  tried: TriedStep,
  stages: StepStages,
): void {
  const { step, number } = tried;
  stages.telemetry.emit({ kind: 'retrying', step: step.head, attempt, error, wait });
  note({ kind: 'retrying', step: number, attempt, error }, tried, stages);
}

/** Waits while an API that the step needs does not answer. Returns a failure when that takes too long. */
export async function waitForApis(
  apis: ReadonlySet<Api>,
  { plan, attempts }: Pick<TriedStep, 'plan' | 'attempts'>,
  stages: StepStages,
): Promise<Failure | undefined> {
  if (!stages.apis.silent(apis)) return undefined;
  const deadline = startDeadline(stages.stopping, attempts.patience());
  try {
    await plan.slot.without(() => stages.apis.ready(apis, deadline.signal));
    return undefined;
  } catch {
    stages.stopping.throwIfAborted();
    return { status: 'failure', code: 'unreachable', error: `no answer from ${[...apis].join(', ')}`, objects: {} };
  } finally {
    deadline.end();
  }
}

async function tryOnce(
  tried: TriedStep,
  stages: StepStages,
  said: { started: boolean; monitored: boolean },
): Promise<StepEnd | 'dry_run' | 'held_up'> {
  const { step, number, history, attempts } = tried;
  const { telemetry } = stages;
  const verdict = keepTarget(await askGuard(tried, stages), history.actedOn);
  if ('status' in verdict) return verdict;
  if (verdict.kind === 'dry_run') return 'dry_run';
  if (!said.monitored) {
    for (const finding of verdict.monitored) {
      telemetry.emit({ kind: 'monitored', step: step.head, ...finding, objects: {} });
    }
    said.monitored = true;
  }
  if (verdict.kind !== 'allow') {
    const { kind: status, policy, reason } = verdict;
    return { status, policy, reason, objects: {} };
  }
  const { budgets, pod } = verdict;
  if (budgets.length > 0) await record({ kind: 'reserved', step: number, budgets }, tried, stages);
  const started: StepProgress = { kind: 'started', step: number, attempt: attempts.current, ...(pod && { pod }) };
  // What ended the server once is not to do so again and again unrecorded.
  if (tried.plan.resumed) await record(started, tried, stages);
  else note(started, tried, stages);
  if (!said.started) telemetry.emit({ kind: 'started', step: step.head });
  said.started = true;
  return execute(tried, verdict, stages);
}

/**
 * A step that has had effects goes on with the very pod that it had them on, which may be gone because of them: that was
 * allowed, and whoever has the name of that pod now is not meant.
 */
function keepTarget(verdict: Verdict | Failure, actedOn: PodTarget | undefined): Verdict | Failure {
  if (!actedOn) return verdict;
  if ('status' in verdict) {
    return verdict.code === 'not-found' ? { kind: 'allow', pod: actedOn, budgets: [], monitored: [] } : verdict;
  }
  return verdict.kind === 'allow' ? { ...verdict, pod: actedOn } : verdict;
}

/** The verdict, or how the step fails when it cannot be had. */
async function askGuard(tried: TriedStep, stages: StepStages): Promise<Verdict | Failure> {
  const { plan, step, number, actionner, history } = tried;
  const deadline = startDeadline(stages.signal, GUARD_DEADLINE);
  const { signal } = deadline;
  try {
    return await plan.policy.guard({ step, alert: plan.alert.id, number, actionner, signal, allowed: history.allowed });
  } catch (error) {
    stages.signal.throwIfAborted();
    if (error instanceof DoorError) return doorFailure(error);
    if (!signal.aborted) throw error;
    return { status: 'failure', code: 'unreachable', error: 'no answer about the target in time', objects: {} };
  } finally {
    deadline.end();
  }
}

async function execute(
  tried: TriedStep,
  { pod }: Verdict & { kind: 'allow' },
  stages: StepStages,
): Promise<Outcome | 'held_up'> {
  const { executor, signal, actionTimeout } = stages;
  const { plan, step, number, actionner, history, repeatable, attempts } = tried;
  const { action, event } = step;
  const append = (progress: Progress) => stages.journal.append(plan.alert.id, progress);
  const record = journaledRecord({ step: number, history, once: !repeatable, append });
  const outcome = await executor.run(
    {
      actionner,
      parameters: action.parameters,
      files: action.files,
      event,
      tokens: () => step.tokens(),
      payload: (fields) => functionPayload(event, step.context(), step.head.alert.trace_id, fields),
      traceId: step.head.alert.trace_id,
      keeps: action.output !== null,
      ...(pod && { pod }),
      record,
      milliseconds: stepDeadline(action, actionner, actionTimeout),
    },
    signal,
  );
  if (outcome.status === 'failure' && signal.aborted) {
    // Given up by the server, on purpose: that says nothing against the step.
    const progress = { kind: 'retrying', step: number, attempt: attempts.current, error: outcome.error } as const;
    history.apply(progress);
    await append(progress);
    signal.throwIfAborted();
  }
  const unwritten = isLate(outcome) ? record.unwritten() : undefined;
  if (!unwritten) return outcome;
  await plan.slot.without(() => unwritten);
  if (!mayRepeat(tried)) return outcome;
  tellRetry({ attempt: attempts.current, error: HELD_UP, wait: 0 }, tried, stages);
  stages.stopping.throwIfAborted();
  return 'held_up';
}

function isLate(outcome: Outcome): boolean {
  return outcome.status === 'failure' && outcome.code === 'deadline';
}

/** Whether another try can do nothing twice that must be done once. */
function mayRepeat({ repeatable, history }: TriedStep): boolean {
  return repeatable || !history.uncertain;
}

function doorFailure({ code, message, retryAfterMs }: DoorError): Failure {
  return {
    status: 'failure',
    code,
    error: message,
    objects: {},
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function record(progress: StepProgress, { plan, history }: TriedStep, { journal }: StepStages): Promise<void> {
  history.apply(progress);
  return journal.append(plan.alert.id, progress);
}

/** Records what nothing has to wait for. Where it cannot be recorded any more, the server is at its end. */
function note(progress: StepProgress, tried: TriedStep, stages: StepStages): void {
  record(progress, tried, stages).catch(() => undefined);
}

import type { Acted, Stored } from '../../model/journal.ts';
import type { StepEnd } from '../../model/outcome.ts';
import type { Step } from '../enrich.ts';
import { failure } from '../plugins/run-script.ts';
import type { StepResult, StepStages } from './step-stages.ts';
import { askStore, type StoringStep, storeArtifact } from './store.ts';

/** A step as it is run; it stores something where artifacts of its action go to an output. */
type RunningStep = Omit<StoringStep, 'target'>;

function storingStep(running: RunningStep): StoringStep | undefined {
  const target = running.actionner.artifact === 'none' ? null : running.step.action.output;
  return target ? { ...running, target } : undefined;
}

/**
 * Goes on with a step whose action was done before a restart. Undefined: there is none, or its artifact is lost and may be made
 * again.
 */
export async function goOnStoring(
  running: RunningStep,
  repeatable: boolean,
  stages: StepStages,
): Promise<StepResult | undefined> {
  const storing = storingStep(running);
  const history = running.plan.history.step(running.number);
  if (!storing || !history.acted) return undefined;
  const { acted } = history;
  if (stages.artifacts.has(acted.outcome.artifact.handle)) return store(storing, acted, stages);
  if (repeatable) {
    history.forgetArtifacts();
    return undefined;
  }
  const outcome = failure('interrupted', 'the artifact was lost when the server ended');
  return notStored(running.step, { output: storing.target.target, outcome });
}

/**
 * Stage, for actions that make an artifact in any case: looks before they do whether it could be stored. A capture that nobody
 * can keep is work and exposure for nothing. Undefined: as far as one can know, it could.
 */
export async function checkStore(running: RunningStep, stages: StepStages): Promise<Stored | undefined> {
  const storing = storingStep(running);
  return storing && running.actionner.artifact === 'required' ? askStore(storing, stages) : undefined;
}

/** Stage: stores what an action made. Undefined: it has no output, or nothing to store that it had to make. */
export async function storeOf(
  running: RunningStep,
  end: StepEnd | 'dry_run',
  stages: StepStages,
): Promise<StepResult | undefined> {
  const storing = storingStep(running);
  if (!storing || end === 'dry_run' || end.status !== 'success') return undefined;
  const { artifact } = end;
  if (artifact) return store(storing, await recordActed({ ...end, artifact }, storing, stages), stages);
  if (running.actionner.artifact === 'optional') return undefined;
  const outcome = failure('refused', 'empty output', end.objects);
  return notStored(running.step, { output: storing.target.target, outcome });
}

/** Records that the action is done, before its artifact is on its way: what can be made once only is not made again. */
async function recordActed(outcome: Acted, { plan, number, step }: StoringStep, stages: StepStages) {
  const { journal, telemetry, notices } = stages;
  const alert = plan.alert.id;
  const acted = { kind: 'acted', step: number, outcome, made: Date.now() } as const;
  plan.history.step(number).apply(acted);
  const told = notices.of({ alert, number, step }, { kind: 'action', end: outcome });
  await journal.append(alert, acted, undefined, told);
  telemetry.emit({ kind: 'ended', step: step.head, outcome });
  notices.post(told);
  return acted;
}

async function store(
  storing: StoringStep,
  acted: { readonly outcome: Acted; readonly made: number },
  stages: StepStages,
): Promise<StepResult> {
  const { step } = storing;
  const stored = await storeArtifact(storing, acted, stages);
  if (stored.outcome.status === 'failure') return notStored(step, stored);
  const transition = { kind: 'stored', step: step.head, stored } as const;
  return { step, end: acted.outcome, stored, transition, notifies: true };
}

/** The end of a step whose artifact was not stored, or could not be. */
export function notStored(step: Step, stored: Stored): StepResult {
  const { outcome: end } = stored;
  return { step, end, stored, transition: { kind: 'stored', step: step.head, stored }, notifies: true };
}

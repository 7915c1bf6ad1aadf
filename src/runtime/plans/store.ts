import type { ArtifactFacts } from '../../model/capability.ts';
import type { Actionner, Output } from '../../model/definition.ts';
import { DOORS } from '../../model/doors.ts';
import { fieldText } from '../../model/event-fields.ts';
import type { Acted, Stored } from '../../model/journal.ts';
import type { Artifact, Outcome } from '../../model/outcome.ts';
import type { OutputTarget } from '../../model/rule.ts';
import type { Step } from '../enrich.ts';
import { type Failure, failure } from '../plugins/run-script.ts';
import { artifactKey } from './artifact-key.ts';
import { Attempts, attemptLimits } from './attempts.ts';
import type { RunningPlan } from './running-plan.ts';
import type { StepStages } from './step-stages.ts';
import { pause, waitForApis } from './step-tries.ts';

/** An artifact is hard to get again: it is tried to be stored so many times at least. */
const LEAST_ATTEMPTS = 6;
/** UTF-16 units. */
const LONGEST_FACT = 300;

/** A step whose action has an output. */
export interface StoringStep {
  readonly plan: RunningPlan;
  readonly number: number;
  readonly step: Step;
  readonly actionner: Actionner;
  readonly target: OutputTarget;
}

/** Looks whether an artifact could be stored. Undefined: as far as one can know, it could. */
export async function askStore(storing: StoringStep, stages: StepStages): Promise<Stored | undefined> {
  const outcome = await tries(storing, stages, (output) => {
    const { parameters } = storing.target;
    return stages.executor.check({ output, parameters, tokens: () => storing.step.tokens() }, stages.signal);
  });
  return outcome && { output: storing.target.target, outcome };
}

/** Hands the artifact of an action to its output. Falco Talon refuses empty ones, and so do we. */
export async function storeArtifact(
  storing: StoringStep,
  { outcome: { artifact, objects }, made }: { readonly outcome: Acted; readonly made: number },
  stages: StepStages,
): Promise<Stored> {
  const { step, target } = storing;
  const output = target.target;
  if (artifact.size === 0) return { output, outcome: failure('refused', 'empty output', objects) };
  // A file that was fetched is told by its path, as Falco Talon does; the spool has a name for it that is none.
  const named = { ...artifact, name: objects.file ?? artifact.name };
  const key = artifactKey(made, objects, named.name);
  const facts = factsOf(step, artifact, objects);
  const outcome = await tries(storing, stages, (found) =>
    stages.executor.store(
      { output: found, parameters: target.parameters, tokens: () => step.tokens(), artifact: named, key, facts },
      stages.signal,
    ),
  );
  return { output, artifact, outcome };
}

/** Metadata for the chain of custody. Cut: whoever sends alerts could have doors refuse what is too long. */
function factsOf({ head, event }: Step, { sha256 }: Artifact, objects: Acted['objects']): ArtifactFacts {
  const { alert, rule, action, actionner } = head;
  const uid = fieldText(event, 'k8s.pod.uid');
  const facts = {
    ...{ rule, action, actionner, 'trace-id': alert.trace_id, hostname: event.hostname, sha256 },
    ...(uid && { 'pod-uid': uid }),
    ...objects,
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, value.slice(0, LONGEST_FACT)]));
}

type Try<T> = (output: Output) => Promise<T>;

/** Tries something with the output until it is done or has failed for good. */
async function tries<T extends Outcome | undefined>(
  storing: StoringStep,
  stages: StepStages,
  attempt: Try<T>,
): Promise<T | Failure> {
  const { plan, step, target, actionner } = storing;
  const output = stages.outputs.get(target.target);
  if (!output) return failure('refused', unknownTarget(actionner, target.target));
  const apis = new Set(output.behaviour.uses.map((door) => DOORS[door].api));
  const limits = attemptLimits(step.action, true, stages.retry);
  const attempts = new Attempts({ ...limits, attempts: Math.max(limits.attempts, LEAST_ATTEMPTS) }, 0, () =>
    performance.now(),
  );
  for (;;) {
    const number = attempts.current;
    const end = (await waitForApis(apis, { plan, attempts }, stages)) ?? (await attempt(output));
    stages.signal.throwIfAborted();
    if (end?.status !== 'failure') return end;
    const wait = attempts.waitAfter(end);
    if (wait === undefined) return end;
    stages.telemetry.emit({ kind: 'retrying', step: step.head, attempt: number, error: end.error, wait });
    if (!stages.apis.silent(apis)) await pause(wait, plan, stages);
  }
}

/** Falco Talon's texts. Rules that name an unknown output are refused before. */
function unknownTarget({ artifact }: Actionner, target: string): string {
  return artifact === 'required' ? `unknown output target '${target}'` : `unknown target '${target}'`;
}

import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Door } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { jsonText } from '../../model/json-text.ts';
import type { FailureCode, Objects, Outcome } from '../../model/outcome.ts';
import { objectsOf } from '../../model/targets.ts';
import type { StepInput, StepLimits, StepTexts } from '../sandbox/messages.ts';
import { readEnd } from '../sandbox/read-end.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { SandboxedStep } from '../sandbox/sandboxed-step.ts';
import { beginStep, type Step } from './broker.ts';
import type { StepRecord } from './step-record.ts';

/** One run of the code of a plug-in. */
export interface ScriptRun {
  /** Id of the plug-in. */
  readonly plugin: string;
  readonly uses: readonly Door[];
  readonly record: StepRecord;
  /** After so many milliseconds it is over. */
  readonly milliseconds: number;
  /** The alert, for code that looks at it. */
  readonly event?: FalcoEvent;
  /** Mints the references that the code begins with; what it is called with, or a failure where that cannot be. */
  readonly given: (mint: Step['mint']) => Readonly<Record<string, unknown>> | Failure;
}

export interface ScriptMeans {
  readonly adapters: Adapters;
  readonly limits: StepLimits;
  readonly sandbox: Sandbox;
  /** Deletes an artifact that neither the outcome nor the record carries. */
  readonly discard?: (handle: string) => void;
}

export type Failure = Extract<Outcome, { readonly status: 'failure' }>;

/** A failure of what was tried, by its cause. */
export function failure(code: FailureCode, error: string, objects: Objects = {}): Failure {
  return { status: 'failure', code, error, objects };
}

/**
 * Sets a step up, lets its code run in the sandbox to its outcome, and leaves nothing of it behind. Whatever goes wrong is an
 * outcome; an aborted signal ends it at once.
 */
export async function runScript(run: ScriptRun, outer: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  if (outer.aborted) return givenUp(outer);
  const { uses, record } = run;
  const over = new AbortController();
  // Every open door listens to it.
  setMaxListeners(0, over.signal, outer);
  const recorded = new Set<string>();
  const keep = (handle: string) => void recorded.add(handle);
  const step = beginStep({ uses, adapters: means.adapters, record, signal: over.signal, keep });
  const given = run.given(step.mint);
  if (isFailure(given)) return given;
  // Those that it begins with are not its own.
  for (const { handle } of step.artifacts()) recorded.add(handle);
  const outcome = await settled(run, textsOf(run, given), step, outer, means);
  over.abort(new Error('the step is over'));
  const kept = outcome.status === 'success' ? outcome.artifact?.handle : undefined;
  for (const { handle } of step.artifacts()) if (handle !== kept && !recorded.has(handle)) means.discard?.(handle);
  return outcome;
}

function isFailure(given: Readonly<Record<string, unknown>> | Failure): given is Failure {
  return given.status === 'failure';
}

/** What the code says in the end; or sooner what its deadline, its limits or the signal say. */
function settled(
  { plugin, milliseconds }: ScriptRun,
  texts: StepTexts,
  step: Step,
  outer: AbortSignal,
  { sandbox, limits }: ScriptMeans,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome) => {
      clearTimeout(timer);
      outer.removeEventListener('abort', giveUp);
      sandboxed.abort();
      resolve(outcome);
    };
    const giveUp = () => settle(givenUp(outer));
    outer.addEventListener('abort', giveUp, { once: true });
    const timer = setTimeout(() => settle(failure('deadline', `no end within ${milliseconds / 1000} s`)), milliseconds);
    const failed = (error: unknown) => failureOf(error, step);
    const sandboxed = new SandboxedStep({
      ...{ sandbox, texts, limits, plugin, open: step.call },
      ended: (end, errorOf) => settle(readEnd(end, { errorOf, failureOf: failed, artifact: step.artifact })),
      cut: (code, reason) => settle(failure(code, `the actionner was ended: ${reason}`)),
    });
  });
}

/** The same alert and parameters make the same step, after a restart too. */
function textsOf({ event: alert, uses }: ScriptRun, given: StepInput['given']): StepTexts {
  const event = alert ? jsonText(new Map(Object.entries(alert))) : '';
  const input = { given, uses, now: Date.parse(alert?.time ?? '') || 0 };
  const seed = createHash('sha256').update(JSON.stringify(input)).update(event).digest().readInt32LE();
  return { event, input: JSON.stringify({ ...input, seed } satisfies StepInput) };
}

function givenUp(signal: AbortSignal): Failure {
  return failure('unreachable', `given up before it was done: ${messageOf(signal.reason)}`);
}

function failureOf(error: unknown, step: Step): Outcome {
  if (!(error instanceof DoorError)) return failure('bug', `the actionner failed: ${messageOf(error)}`);
  // What does not exist is no object that was acted on.
  const about = error.code === 'not-found' ? undefined : step.about(error);
  const { retryAfterMs } = error;
  const failed = failure(error.code, error.message, about && objectsOf(about));
  return { ...failed, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

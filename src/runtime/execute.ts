import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { decodeParameters } from '../model/decode-parameters.ts';
import type { Actionner } from '../model/definition.ts';
import { DoorError } from '../model/door-error.ts';
import type { Adapters, PodTarget, Target } from '../model/doors.ts';
import { FIELD_KEYS, namespace, podName } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import { jsonText } from '../model/json-text.ts';
import { isNamespaceName, isObjectName, podNotFound } from '../model/kube-names.ts';
import type { FailureCode, Objects, Outcome } from '../model/outcome.ts';
import type { ParameterMap } from '../model/rule.ts';
import type { WorkerStart } from '../model/worker-start.ts';
import { beginStep, type Step } from './broker.ts';
import { missingField } from './missing-field.ts';
import { workerLink } from './sandbox/link.ts';
import { STEP_LIMITS, type StepInput, type StepLimits, type StepTexts } from './sandbox/messages.ts';
import { readEnd } from './sandbox/read-end.ts';
import { HEARTBEAT, type Heartbeat, type OnDegraded, Sandbox } from './sandbox/sandbox.ts';
import { SandboxedStep } from './sandbox/sandboxed-step.ts';
import { TURN_TIMES, type TurnTimes } from './sandbox/turn-order.ts';
import type { StepRecord } from './step-record.ts';

/** Programs of plug-ins for the sandbox, by the ids of the plug-ins. */
export type PluginScripts = ReadonlyMap<string, string>;

/** One try of an action. */
export interface StepToRun {
  readonly actionner: Actionner;
  /** As the bundle carries them: a map or null. */
  readonly parameters: unknown;
  readonly event: FalcoEvent;
  /** The pod of the alert where it was looked up already; it takes the place of the one that the alert names. */
  readonly pod?: PodTarget | undefined;
  readonly record: StepRecord;
  /** After so many milliseconds the try is over. */
  readonly milliseconds: number;
}

/** Runs actionners for alerts. */
export interface Executor {
  /** Resolves when the sandbox is there; rejects when it cannot be started. Steps can be given before that. */
  ready(): Promise<void>;
  /** Falco Talon's text for the first field that the actionner requires and the alert lacks. */
  missing(actionner: Actionner, event: FalcoEvent): string | undefined;
  /** Runs one action to its end; whatever goes wrong is an outcome. An aborted signal ends the step at once. */
  run(step: StepToRun, signal: AbortSignal): Promise<Outcome>;
  /** Ends the sandbox. Steps that are under way end at their deadline or with their signal. */
  end(): Promise<void>;
}

export interface ExecutorOptions {
  readonly adapters: Adapters;
  readonly scripts: PluginScripts;
  readonly worker: WorkerStart;
  readonly onDegraded?: OnDegraded;
  /** Deletes an artifact that no outcome carries. */
  readonly discard?: (handle: string) => void;
  readonly limits?: Partial<StepLimits>;
  readonly times?: Partial<TurnTimes>;
  readonly heartbeat?: Partial<Heartbeat>;
  /** Milliseconds of all turns of a step together. */
  readonly allTurns?: number;
}

/** Milliseconds. */
const ALL_TURNS = 5_000;

/**
 * Runs the code of plug-ins in the sandbox, which is started at once. This process has their declarations alone, and opens the
 * doors that they ask for.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const { scripts, worker, allTurns = ALL_TURNS } = options;
  const limits = { ...STEP_LIMITS, ...options.limits };
  const times = { ...TURN_TIMES, ...options.times };
  const heartbeat = { ...HEARTBEAT, ...options.heartbeat };
  const sandbox = new Sandbox(workerLink(worker, { scripts, limits, times, allTurns }), heartbeat, options.onDegraded);
  return {
    ready: () => sandbox.ready(),
    missing: (actionner, event) => missingField(actionner.requires, event),
    run: async (step, signal) => {
      const { actionner, event } = step;
      if (!actionner.behaviour || !scripts.has(actionner.id)) {
        return failure('bug', `the actionner '${actionner.id}' can't act yet`);
      }
      const missing = missingField(actionner.requires, event);
      if (missing !== undefined) return failure('missing-field', missing);
      const decoded = decodeParameters(actionner.parameters, step.parameters as ParameterMap | null);
      if (!decoded.ok) return failure('refused', decoded.problems.map(({ message }) => message).join('\n'));
      return runStep(step, decoded.value, signal, { ...options, limits, sandbox });
    },
    end: async () => sandbox.end(),
  };
}

interface Means extends ExecutorOptions {
  readonly limits: StepLimits;
  readonly sandbox: Sandbox;
}

/** Sets the step up, lets it run to its outcome, and leaves nothing of it behind. */
async function runStep(given: StepToRun, parameters: unknown, outer: AbortSignal, means: Means): Promise<Outcome> {
  if (outer.aborted) return givenUp(outer);
  const { actionner, event, record } = given;
  const over = new AbortController();
  // Every open door listens to it.
  setMaxListeners(0, over.signal, outer);
  const uses = actionner.behaviour?.uses ?? [];
  const step = beginStep({ uses, adapters: means.adapters, record, signal: over.signal });
  const targets = mintTargets(given, step);
  if ('status' in targets) return targets;
  const texts = textsOf(event, { parameters, targets, uses, now: Date.parse(event.time) || 0 });
  const outcome = await settled(given, texts, step, outer, means);
  over.abort(new Error('the step is over'));
  discardOthers(step, outcome, means.discard);
  return outcome;
}

/** What the code of the step says in the end; or sooner what its deadline, its limits or the signal say. */
function settled(
  { actionner, milliseconds }: StepToRun,
  texts: StepTexts,
  step: Step,
  outer: AbortSignal,
  { sandbox, limits }: Means,
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
      ...{ sandbox, texts, limits, plugin: actionner.id, open: step.call },
      ended: (end, errorOf) => settle(readEnd(end, { errorOf, failureOf: failed, artifact: step.artifact })),
      cut: (code, reason) => settle(failure(code, `the actionner was ended: ${reason}`)),
    });
  });
}

/** The same alert and parameters make the same step, after a restart too. */
function textsOf(alert: FalcoEvent, given: Omit<StepInput, 'seed'>): StepTexts {
  const event = jsonText(new Map(Object.entries(alert)));
  const seed = createHash('sha256').update(JSON.stringify(given)).update(event).digest().readInt32LE();
  return { event, input: JSON.stringify({ ...given, seed } satisfies StepInput) };
}

/** The pod of the alert, for actionners that require its fields. */
function mintTargets({ actionner, event, pod: found }: StepToRun, step: Step) {
  if (!actionner.requires.includes(FIELD_KEYS.podName)) return {};
  const pod: PodTarget = found ?? { kind: 'pod', namespace: namespace(event) ?? '', name: podName(event) ?? '' };
  // Not a name, and so no pod. A sender who writes `..` there would make the path of another object out of it.
  if (!isObjectName(pod.name) || !isNamespaceName(pod.namespace)) return failureOf(podNotFound(pod), step);
  return { pod: step.mint(pod) };
}

function discardOthers(step: Step, outcome: Outcome, discard: ExecutorOptions['discard']): void {
  const kept = outcome.status === 'success' ? outcome.artifact?.handle : undefined;
  for (const { handle } of step.artifacts()) if (handle !== kept) discard?.(handle);
}

function givenUp(signal: AbortSignal): Outcome {
  return failure('unreachable', `given up before it was done: ${messageOf(signal.reason)}`);
}

function failureOf(error: unknown, step: Step): Outcome {
  if (!(error instanceof DoorError)) return failure('bug', `the actionner failed: ${messageOf(error)}`);
  // What does not exist is no object that was acted on.
  const objects = error.code === 'not-found' ? {} : objectsOf(step.about(error));
  const { retryAfterMs } = error;
  return { ...failure(error.code, error.message, objects), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function objectsOf(target: Target | undefined): Objects {
  switch (target?.kind) {
    case 'pod':
      return { pod: target.name, namespace: target.namespace };
    case 'node':
      return { node: target.name };
    default:
      return {};
  }
}

type Failure = Extract<Outcome, { readonly status: 'failure' }>;

function failure(code: FailureCode, error: string, objects: Objects = {}): Failure {
  return { status: 'failure', code, error, objects };
}

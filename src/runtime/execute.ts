import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Doors } from '../model/capability.ts';
import { decodeParameters } from '../model/decode-parameters.ts';
import type { Actionner, Behaviour, Targets } from '../model/definition.ts';
import { DoorError } from '../model/door-error.ts';
import type { Adapters, PodTarget, Target } from '../model/doors.ts';
import { FIELD_KEYS, namespace, podName } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import { isNamespaceName, isObjectName, podNotFound } from '../model/kube-names.ts';
import type { FailureCode, Objects, Outcome } from '../model/outcome.ts';
import type { ParameterMap } from '../model/rule.ts';
import { beginStep, type Step } from './broker.ts';
import { startDeadline } from './deadline.ts';
import { missingField } from './missing-field.ts';
import type { StepRecord } from './step-record.ts';

/** One try of a step. */
export interface StepToRun {
  readonly actionner: Actionner;
  /** As the bundle carries them: a map or null. */
  readonly parameters: unknown;
  readonly event: FalcoEvent;
  /** The pod that guards have looked up, with its UID, in place of the one that the alert names. */
  readonly pod?: PodTarget;
  readonly record: StepRecord;
  /** What the try may take. */
  readonly milliseconds: number;
}

/** Runs actionners for alerts. */
export interface Executor {
  /** Falco Talon's text for the first field that the actionner requires and the alert lacks. */
  missing(actionner: Actionner, event: FalcoEvent): string | undefined;
  /** Runs one try of an action to its end; whatever goes wrong is an outcome. An aborted signal ends it at once. */
  run(step: StepToRun, signal: AbortSignal): Promise<Outcome>;
  end(): Promise<void>;
}

/** The code of plug-ins runs in this process, with nothing but their doors in hand. */
export function createExecutor({ adapters }: { readonly adapters: Adapters }): Executor {
  return {
    missing: (actionner, event) => missingField(actionner.requires, event),
    run: async ({ actionner, parameters, event, milliseconds }, signal) => {
      const { behaviour } = actionner;
      if (!behaviour) return failure('bug', `the actionner '${actionner.id}' can't act yet`);
      const missing = missingField(actionner.requires, event);
      if (missing !== undefined) return failure('missing-field', missing);
      const decoded = decodeParameters(actionner.parameters, parameters as ParameterMap | null);
      if (!decoded.ok) return failure('refused', decoded.problems.map(({ message }) => message).join('\n'));
      const deadline = startDeadline(signal, milliseconds);
      const outcome = await runStep(actionner, behaviour, decoded.value, event, adapters, deadline.signal);
      deadline.end();
      return outcome;
    },
    end: async () => undefined,
  };
}

/** Sets the step up, and is the one place where what a plug-in or a door throws becomes an outcome. */
async function runStep<P>(
  actionner: Actionner,
  behaviour: Behaviour<P, keyof Doors>,
  parameters: P,
  event: FalcoEvent,
  adapters: Adapters,
  signal: AbortSignal,
): Promise<Outcome> {
  const ended = new AbortController();
  const stepSignal = AbortSignal.any([signal, ended.signal]);
  // Every open door listens to it.
  setMaxListeners(0, stepSignal);
  const step = beginStep(behaviour.uses, adapters, stepSignal);
  try {
    signal.throwIfAborted();
    const targets = mintTargets(actionner, event, step);
    const open = (door: string, given: readonly unknown[]) => {
      const answer = step.call(door, given);
      // A plug-in that does not wait for its door must not end the process.
      answer.catch(() => undefined);
      return answer;
    };
    const use = Object.fromEntries(
      behaviour.uses.map((door) => [door, (...given: unknown[]) => open(door, given)]),
    ) as unknown as Doors;
    const wait = async (milliseconds: number) => {
      await sleep(milliseconds, undefined, { signal: stepSignal });
    };
    return await Promise.race([
      behaviour.run({ event, parameters, targets, use, sleep: wait }),
      untilAborted(stepSignal),
    ]);
  } catch (error) {
    return failureOf(error, step, signal);
  } finally {
    ended.abort();
  }
}

/** The pod of the alert, for actionners that require its fields. */
function mintTargets(actionner: Actionner, event: FalcoEvent, step: Step): Targets {
  if (!actionner.requires.includes(FIELD_KEYS.podName)) return {};
  const pod: PodTarget = { kind: 'pod', namespace: namespace(event) ?? '', name: podName(event) ?? '' };
  // Not a name, and so no pod. A sender who writes `..` there would make the path of another object out of it.
  if (!isObjectName(pod.name) || !isNamespaceName(pod.namespace)) throw podNotFound(pod);
  return { pod: step.mint(pod) };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function failureOf(error: unknown, step: Step, signal: AbortSignal): Outcome {
  if (signal.aborted) return failure('unreachable', `given up before it was done: ${messageOf(signal.reason)}`);
  if (!(error instanceof DoorError)) return failure('bug', `the actionner failed: ${messageOf(error)}`);
  // What does not exist is no object that was acted on.
  const objects = error.code === 'not-found' ? {} : objectsOf(step.failedOn());
  return failure(error.code, error.message, objects);
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

function failure(code: FailureCode, error: string, objects: Objects = {}): Outcome {
  return { status: 'failure', code, error, objects };
}

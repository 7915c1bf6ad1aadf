import { decodeParameters } from '../model/decode-parameters.ts';
import type { Actionner, Notifier, Output, Reach } from '../model/definition.ts';
import { DoorError } from '../model/door-error.ts';
import type { Adapters } from '../model/door-row.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import type { Notice } from '../model/notice.ts';
import type { Artifact, Outcome } from '../model/outcome.ts';
import { type ParameterSchema, parameterFacts } from '../model/parameters.ts';
import type { ParameterMap } from '../model/rule.ts';
import type { PodTarget, SubjectTarget } from '../model/targets.ts';
import type { WorkerStart } from '../model/worker-start.ts';
import { endpointTarget, mintTargets } from './action-targets.ts';
import { expandParameters } from './expand-parameters.ts';
import { missingField } from './missing-field.ts';
import { type Failure, failure, runScript, type ScriptMeans } from './run-script.ts';
import { workerLink } from './sandbox/link.ts';
import { STEP_LIMITS, type StepLimits } from './sandbox/messages.ts';
import { HEARTBEAT, type Heartbeat, type OnDegraded, Sandbox } from './sandbox/sandbox.ts';
import { TURN_TIMES, type TurnTimes } from './sandbox/turn-order.ts';
import type { StepRecord } from './step-record.ts';
import { unrecorded } from './step-record.ts';
import type { Tokens } from './tokens.ts';

/** Programs of plug-ins for the sandbox, by the ids of the plug-ins. */
export type PluginScripts = ReadonlyMap<string, string>;

/** One try of an action. */
export interface StepToRun {
  readonly actionner: Actionner;
  /** As the bundle carries them: a map or null. */
  readonly parameters: unknown;
  /** Contents of the files that parameters name, by parameter. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly event: FalcoEvent;
  /** Values for the tokens in its parameters. */
  readonly tokens?: () => Tokens;
  /** What functions are called with. */
  readonly payload?: (fields?: readonly string[]) => string;
  /** Of the alert. */
  readonly traceId?: string;
  /** Whether the action has an output. */
  readonly keeps?: boolean;
  /** The pod of the alert where it was looked up already; it takes the place of the one that the alert names. */
  readonly pod?: PodTarget | undefined;
  readonly record: StepRecord;
  /** After so many milliseconds the try is over. */
  readonly milliseconds: number;
}

/** One try to store an artifact. */
export interface ArtifactToStore {
  readonly output: Output;
  readonly parameters: ParameterMap;
  readonly tokens: () => Tokens;
  readonly artifact: Artifact;
  readonly key: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** One try to send a notice. */
export interface NoticeToSend {
  readonly notifier: Notifier;
  /** As the configuration has them. */
  readonly settings: ParameterMap;
  readonly notice: Notice;
  /** Whether none was sent to it yet. */
  readonly first: boolean;
}

/** Runs plug-ins for alerts. */
export interface Executor {
  /** Resolves when the sandbox is there; rejects when it cannot be started. Steps can be given before that. */
  ready(): Promise<void>;
  /** Falco Talon's text for the first field that the actionner requires and the alert lacks. */
  missing(actionner: Actionner, event: FalcoEvent): string | undefined;
  /** Runs one action to its end; whatever goes wrong is an outcome. An aborted signal ends the step at once. */
  run(step: StepToRun, signal: AbortSignal): Promise<Outcome>;
  /** Looks whether artifacts could be stored there. Undefined: they could, as far as one can know. */
  check(
    given: Pick<ArtifactToStore, 'output' | 'parameters' | 'tokens'>,
    signal: AbortSignal,
  ): Promise<Failure | undefined>;
  /** Stores an artifact, which stays in the spool. */
  store(given: ArtifactToStore, signal: AbortSignal): Promise<Outcome>;
  send(given: NoticeToSend, signal: AbortSignal): Promise<Outcome>;
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
  const means: ScriptMeans = { ...options, limits, sandbox };
  return {
    ready: () => sandbox.ready(),
    missing: (actionner, event) => missingField(actionner.requires, event),
    run: async (step, signal) =>
      scripts.has(step.actionner.id) ? runAction(step, signal, means) : cannotAct(step.actionner),
    check: (given, signal) => checkStore(given, signal, means),
    store: (given, signal) => storeArtifact(given, signal, means),
    send: (given, signal) => sendNotice(given, signal, means),
    end: async () => sandbox.end(),
  };
}

function cannotAct({ id }: { readonly id: string }): Failure {
  return failure('bug', `'${id}' can't act yet`);
}

async function runAction(step: StepToRun, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { actionner, event, record, milliseconds, keeps = false, tokens = noTokens, payload = () => '' } = step;
  const { behaviour } = actionner;
  const missing = missingField(actionner.requires, event);
  if (missing !== undefined) return failure('missing-field', missing);
  const decoded = decode(actionner.parameters, step.parameters, tokens, step.files);
  if ('status' in decoded) return decoded;
  const { parameters } = decoded;
  const given = (mint: Parameters<typeof mintTargets>[1]) =>
    unlessRefused(() => {
      const reach = behaviour.reach?.(parameters) ?? {};
      return {
        parameters: withoutSecrets(actionner.parameters, parameters),
        targets: mintTargets({ actionner, event, pod: step.pod, traceId: step.traceId, reach, payload }, mint),
        keeps,
        seconds: milliseconds / 1000,
      };
    });
  const uses = behaviour.opens?.(parameters) ?? behaviour.uses;
  return runScript({ plugin: actionner.id, uses, record, milliseconds, event, given }, signal, means);
}

async function checkStore(
  { output, parameters, tokens }: Pick<ArtifactToStore, 'output' | 'parameters' | 'tokens'>,
  signal: AbortSignal,
  { adapters }: ScriptMeans,
): Promise<Failure | undefined> {
  const { behaviour } = output;
  const decoded = decode(output.parameters, parameters, tokens);
  if ('status' in decoded) return decoded;
  try {
    const { store } = behaviour.reach(decoded.parameters);
    await adapters['stores.check']({ kind: 'store', ...store }, signal);
    return undefined;
  } catch (error) {
    return refusal(error);
  }
}

async function storeArtifact(given: ArtifactToStore, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { output, tokens, artifact, key, facts } = given;
  const { uses, deadline, reach } = output.behaviour;
  const decoded = decode(output.parameters, given.parameters, tokens);
  if ('status' in decoded) return decoded;
  const { parameters } = decoded;
  return runScript(
    {
      ...{ plugin: output.id, uses, record: unrecorded, milliseconds: 1000 * deadline },
      given: (mint) =>
        unlessRefused(() => ({
          parameters: withoutSecrets(output.parameters, parameters),
          artifact: mint({ kind: 'artifact', ...artifact }),
          store: mint({ kind: 'store', ...reach(parameters).store }),
          ...{ key, facts },
        })),
    },
    signal,
    means,
  );
}

async function sendNotice(given: NoticeToSend, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { notifier, notice, first } = given;
  const { uses, deadline, reach } = notifier.behaviour;
  const decoded = decode(notifier.settings, given.settings, noTokens);
  if ('status' in decoded) return decoded;
  const { parameters: settings } = decoded;
  return runScript(
    {
      ...{ plugin: notifier.id, uses, record: unrecorded, milliseconds: 1000 * deadline },
      given: (mint) =>
        unlessRefused(() => {
          const { endpoint, mailbox }: Reach = reach?.(settings) ?? {};
          const targets = {
            ...(endpoint && { endpoint: mint(endpointTarget(endpoint)) }),
            ...(mailbox && { mailbox: mint({ kind: 'mailbox', name: mailbox.server, ...mailbox }) }),
            subject: mint(subjectOf(notice)),
          };
          return { settings: withoutSecrets(notifier.settings, settings), notice, targets, first };
        }),
    },
    signal,
    means,
  );
}

/** What the notice is about, by its objects. */
function subjectOf({ objects = {} }: Notice): SubjectTarget {
  const { Pod: pod, Namespace: namespace = '', Node: node } = objects;
  if (pod === undefined && node !== undefined) return { kind: 'subject', of: 'Node', name: node, namespace: '' };
  return { kind: 'subject', of: 'Pod', name: pod ?? '', namespace };
}

const noTokens = (): Tokens => new Map();

type Decoded = { readonly parameters: Readonly<Record<string, unknown>> };

/** Parameters as their schema makes them, with the contents of files and the tokens in them. */
function decode(
  schema: ParameterSchema,
  given: unknown,
  tokens: () => Tokens,
  files: Readonly<Record<string, string>> = {},
): Decoded | Failure {
  const decoded = decodeParameters(schema, given as ParameterMap | null);
  if (!decoded.ok) return failure('refused', decoded.problems.map(({ message }) => message).join('\n'));
  try {
    return { parameters: expandParameters(schema, { ...decoded.value, ...files }, tokens) };
  } catch (error) {
    return refusal(error);
  }
}

/** Secrets never enter the sandbox: what needs them gets a reference. */
function withoutSecrets(schema: ParameterSchema, values: Readonly<Record<string, unknown>>) {
  const shown = Object.entries(values).filter(([name]) => {
    const field = schema.shape[name];
    return field === undefined || parameterFacts(field).secret !== true;
  });
  return Object.fromEntries(shown);
}

function unlessRefused<T>(make: () => T): T | Failure {
  try {
    return make();
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): Failure {
  if (!(error instanceof DoorError)) throw error;
  const { code, message, retryAfterMs } = error;
  return { ...failure(code, message), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

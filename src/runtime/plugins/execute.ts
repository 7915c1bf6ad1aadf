import type { Actionner } from '../../model/definition.ts';
import type { Adapters } from '../../model/door-row.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { WorkerStart } from '../../model/worker-start.ts';
import { workerLink } from '../sandbox/link.ts';
import { STEP_LIMITS, type StepLimits } from '../sandbox/messages.ts';
import { HEARTBEAT, type Heartbeat, type OnDegraded, Sandbox } from '../sandbox/sandbox.ts';
import { TURN_TIMES, type TurnTimes } from '../sandbox/turn-order.ts';
import { missingField } from './missing-field.ts';
import { runActionner, type StepToRun } from './run-actionner.ts';
import { type NoticeToSend, runNotifier } from './run-notifier.ts';
import { type ArtifactToStore, checkOutput, runOutput } from './run-output.ts';
import { type Failure, failure, type ScriptMeans } from './run-script.ts';

/** Programs of plug-ins for the sandbox, by the ids of the plug-ins. */
export type PluginScripts = ReadonlyMap<string, string>;

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
      scripts.has(step.actionner.id) ? runActionner(step, signal, means) : cannotAct(step.actionner.id),
    check: (given, signal) => checkOutput(given, signal, means),
    store: (given, signal) => runOutput(given, signal, means),
    send: (given, signal) => runNotifier(given, signal, means),
    end: async () => sandbox.end(),
  };
}

function cannotAct(id: string): Failure {
  return failure('bug', `'${id}' can't act yet`);
}

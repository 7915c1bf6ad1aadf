import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_WINDOW_SECONDS } from '../../model/guard-policy.ts';
import type { Journal, OpenPlan } from '../../model/journal.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { Telemetry } from '../../model/transition.ts';
import { Apis, guardAdapters, guardLookups } from '../../runtime/apis.ts';
import { DedupWindow } from '../../runtime/dedup.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import { Budgets } from '../../runtime/guards/budgets.ts';
import { createGuard } from '../../runtime/guards/guard.ts';
import { Intake } from '../../runtime/intake.ts';
import { Lanes } from '../../runtime/lanes.ts';
import type { Notices } from '../../runtime/notices/notices.ts';
import type { Pipeline } from '../../runtime/pipeline.ts';
import { PlanHistory } from '../../runtime/plans/resume.ts';
import type { Artifacts } from '../../runtime/plans/step-stages.ts';
import { createExecutor, type Executor } from '../../runtime/plugins/execute.ts';
import { Policies } from '../../runtime/policies.ts';
import type { Settings } from '../settings/settings.ts';
import { workerStart } from '../worker-file.ts';
import { createNotices } from './create-notices.ts';
import { artifactsIn, createPipeline } from './create-pipeline.ts';
import { createServer } from './create-server.ts';
import { createTelemetry } from './server-log.ts';
import type { WiringOptions } from './wiring-options.ts';

/** A server with all that is behind it, before it listens. */
export interface WiredServer {
  /** Goes on with the plans that the journal has open. Returns how many. To be called before `listen`. */
  resume(): Promise<number>;
  /** Begins to listen. Returns the port. */
  listen(): Promise<number>;
  /** Lets other rules and policies act from now on. Plans that were made before keep theirs. */
  activate(engine: Engine): Promise<void>;
  /** Resolves when no plan is left. */
  idle(): Promise<void>;
  /**
   * Takes no more alerts, and starts no more steps; lets those that run end, and gives up those that have not ended by then.
   * What is left stays open in the journal. Resolves when nothing runs.
   */
  stop(graceMilliseconds: number): Promise<void>;
}

/** Milliseconds for what was given up to leave its traces in the journal. */
const LAST_WORDS = 2_000;

/** Puts the parts of the server together: the one place that knows them all. */
export async function wireServer(options: WiringOptions): Promise<WiredServer> {
  const { settings, engine, journal, health } = options;
  const telemetry = createTelemetry(options);
  const apis = new Apis(telemetry.emit);
  const policies = await createPolicies(options, apis);
  const policy = await unlessFull(journal, policies.activate(engine));
  const lanes = createLanes(settings);
  const artifacts = artifactsIn(options.spool, telemetry);
  const executor = wireExecutor(options, apis, artifacts);
  const notices = createNotices(options, executor, telemetry);
  const stopping = new AbortController();
  const over = new AbortController();
  // Every plan that waits listens to them.
  setMaxListeners(0, stopping.signal, over.signal);
  const stages = {
    ...{ executor, artifacts, notices, apis, lanes, policies, telemetry },
    ...{ stopping: stopping.signal, signal: over.signal },
  };
  const pipeline = createPipeline(options, { ...stages, dedup: await restoreDedup(settings, journal) });
  const intake = new Intake({
    active: { scanner: engine.evaluator, policy },
    pipeline,
    telemetry,
    printAllEvents: settings.print_all_events,
  });
  const server = createServer(options, intake, { apis, lanes, policies, telemetry, notices });
  journal.onHealth((able, reason) => health.storing(able, reason));
  return {
    resume: () => resumeAll(pipeline, notices, options, telemetry),
    listen: async () => {
      await executor.ready();
      const port = await server.listen(settings.listen_address, settings.listen_port);
      health.set('ok');
      return port;
    },
    activate: async (next) => {
      const policy = await policies.activate(next);
      intake.use({ scanner: next.evaluator, policy });
    },
    idle: () => lanes.idle(),
    stop: async (grace) => {
      health.set('stopping');
      stopping.abort(new Error('the server is stopped'));
      lanes.close();
      const end = performance.now() + grace;
      await endWithin(grace, [server.close(), lanes.idle()], () => over.abort(stopping.signal.reason));
      await notices.stop(Math.max(0, end - performance.now()));
      await executor.end();
    },
  };
}

/** Waits for what is about to end; gives it up when its time is over, and waits a little more. */
async function endWithin(grace: number, ending: readonly Promise<unknown>[], giveUp: () => void): Promise<void> {
  const timer = setTimeout(giveUp, grace);
  await Promise.race([Promise.all(ending), sleep(grace + LAST_WORDS, undefined, { ref: false })]);
  clearTimeout(timer);
}

function wireExecutor({ adapters, scripts, health }: WiringOptions, apis: Apis, { discard }: Artifacts): Executor {
  return createExecutor({
    adapters: guardAdapters(adapters, apis),
    scripts,
    worker: workerStart('sandbox'),
    onDegraded: (reason) => health.degrade('sandbox', reason),
    discard,
  });
}

/** Lets the plans go on that the journal has open, the notices before them, and from now on those that operators reopen. */
async function resumeAll(
  pipeline: Pipeline,
  notices: Notices,
  { journal, spool }: WiringOptions,
  { emit }: Telemetry,
): Promise<number> {
  journal.onReopened((plan) => {
    pipeline.resume([plan]).catch((error: Error) => emit({ kind: 'fault', error: error.message }));
  });
  await notices.resume();
  const plans = await journal.openPlans();
  await spool?.keepOnly(artifactsOf(plans));
  return pipeline.resume(plans);
}

/** Handles of the artifacts that plans may still need. */
function artifactsOf(plans: readonly OpenPlan[]): readonly string[] {
  return plans.flatMap(({ progress }) => new PlanHistory(progress).artifacts().map(({ handle }) => handle));
}

/**
 * Waits for the first thing that the server records, but not for a disk that is full: nobody would learn why it does not start.
 *
 * @throws TalonError('journal')
 */
function unlessFull<T>(journal: Journal, recorded: Promise<T>): Promise<T> {
  const refused = new Promise<never>((_, reject) => {
    journal.onHealth((able, reason) => {
      if (!able) reject(new TalonError('journal', reason));
    });
  });
  return Promise.race([recorded, refused]);
}

function createLanes(settings: Settings): Lanes {
  return new Lanes({
    tasks: settings.max_pending_events,
    bytes: settings.max_pending_bytes,
    perLane: settings.max_pending_per_target,
    running: settings.max_running_plans,
  });
}

/** All guards share the budgets, which outlive them. */
async function createPolicies(
  { settings, journal, lookups, prepare = async () => undefined }: WiringOptions,
  apis: Apis,
): Promise<Policies> {
  const now = Date.now;
  const budgets = new Budgets(await journal.budgetsUsedSince(now() - LONGEST_WINDOW_SECONDS * 1000));
  const shared = { budgets, lookups: guardLookups(lookups, apis), dryRun: settings.dry_run, now };
  return new Policies({ journal, prepare, guardOf: (policies) => createGuard({ policies, ...shared }) });
}

/** The window with what was taken before a restart. */
async function restoreDedup({ deduplication }: Settings, journal: Journal): Promise<DedupWindow> {
  const seconds = deduplication.time_window_seconds;
  const window = new DedupWindow(seconds, () => performance.now());
  const now = Date.now();
  const taken = await journal.acceptedSince(now - seconds * 1000);
  window.restore(taken.map(({ key, at }) => ({ key, age: now - at })));
  return window;
}

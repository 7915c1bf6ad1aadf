import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { Catalog } from '../model/definition.ts';
import type { Adapters } from '../model/doors.ts';
import { LONGEST_WINDOW_SECONDS } from '../model/guard-policy.ts';
import type { Journal, StoredPolicy } from '../model/journal.ts';
import { LOG_FIELDS, type LogField, type LogLevel, type LogRecord } from '../model/log-record.ts';
import type { TargetLookups } from '../model/target-facts.ts';
import type { Telemetry } from '../model/transition.ts';
import type { Counters } from '../platform/telemetry/counters.ts';
import { createEventLine } from '../platform/telemetry/event-line.ts';
import type { GaugeValue } from '../platform/telemetry/gauges.ts';
import type { LineSink } from '../platform/telemetry/line-sink.ts';
import { escapeJsonText, formatLogLine, type LogFormat, logMembers } from '../platform/telemetry/log-line.ts';
import { createMetricsPage, METRICS_CONTENT_TYPE } from '../platform/telemetry/metrics-page.ts';
import { transitionCount } from '../platform/telemetry/transition-count.ts';
import { logTransition } from '../platform/telemetry/transition-log.ts';
import { Apis, guardAdapters, guardLookups } from '../runtime/apis.ts';
import { Budgets } from '../runtime/budgets.ts';
import { DedupWindow } from '../runtime/dedup.ts';
import { entranceSettings } from '../runtime/entrance/entrance-settings.ts';
import { createExecutor, type PluginScripts } from '../runtime/execute.ts';
import { createGuard } from '../runtime/guard.ts';
import type { Health } from '../runtime/health.ts';
import { Intake } from '../runtime/intake.ts';
import { Lanes } from '../runtime/lanes.ts';
import { createNotify } from '../runtime/notify.ts';
import type { Engine } from '../runtime/open-bundle.ts';
import { Pipeline } from '../runtime/pipeline.ts';
import type { Policy } from '../runtime/policy.ts';
import { Server } from '../runtime/server.ts';
import type { Settings } from './settings.ts';
import { workerStart } from './worker-file.ts';

/** Writes one record as a line. */
export type Log = (record: LogRecord) => void;

/**
 * The log of everything that is not on the way of every alert. pino writes lines in Falco Talon's JSON; the other formats are
 * made from those.
 */
export function createLog(format: LogFormat, write: LineSink, now: () => Date): Log {
  const shaped = format === 'json' ? inertJson : (line: string) => formatLogLine(parseLine(line), format, now());
  const logger = pino(
    {
      base: null,
      timestamp: false,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(shaped(line)) },
  );
  return (record) => logger[record.level](Object.fromEntries(logMembers(record, now())), record.message);
}

function inertJson(line: string): string {
  return `${escapeJsonText(line.trimEnd())}\n`;
}

function parseLine(line: string): LogRecord {
  const { level, message, time: _, ...members } = JSON.parse(line) as Record<string, string>;
  const isField = ([key]: [string, string]) => LOG_FIELDS.includes(key as LogField);
  const entries = Object.entries(members);
  return {
    level: level as LogLevel,
    message: message ?? '',
    fields: Object.fromEntries(entries.filter(isField)),
    objects: Object.fromEntries(entries.filter((entry) => !isField(entry))),
  };
}

export interface TelemetryOptions {
  readonly settings: Pick<Settings, 'logFormat'>;
  readonly log: Log;
  readonly write: LineSink;
  readonly counters: Counters;
}

export interface WiringOptions extends TelemetryOptions {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly scripts: PluginScripts;
  readonly adapters: Adapters;
  readonly lookups: TargetLookups;
  /** Open; whoever opened it ends it, once the server is stopped. */
  readonly journal: Journal;
  readonly health: Health;
  readonly version: string;
}

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
  const { settings, engine, catalog, journal, health, counters, version } = options;
  const telemetry = createTelemetry(options);
  const apis = new Apis(telemetry.emit);
  const makePolicy = await createPolicies(options, apis);
  let active = await keepPolicy(engine, journal, makePolicy);
  const lanes = createLanes(settings);
  const executor = createExecutor({
    adapters: guardAdapters(options.adapters, apis),
    scripts: options.scripts,
    worker: workerStart('sandbox'),
  });
  const stopping = new AbortController();
  const over = new AbortController();
  const pipeline = new Pipeline({
    actionners: catalog.actionners,
    executor,
    apis,
    notify: createNotify(),
    dedup: await restoreDedup(settings, journal),
    lanes,
    journal,
    telemetry,
    logsEvents: !settings.print_all_events,
    dryRun: settings.dry_run,
    actionTimeout: settings.action_timeout_seconds,
    retry: settings.retry,
    policyOf: async (revision) => {
      if (revision === active.revision) return active;
      const stored = await journal.policy(revision);
      return stored && makePolicy(stored);
    },
    now: Date.now,
    stopping: stopping.signal,
    signal: over.signal,
  });
  const intake = new Intake({
    active: { scanner: engine.evaluator, policy: active },
    pipeline,
    telemetry,
    printAllEvents: settings.print_all_events,
  });
  const server = new Server({
    intake,
    telemetry,
    limits: { bodyBytes: settings.max_body_bytes, connections: settings.max_connections },
    metrics: {
      contentType: METRICS_CONTENT_TYPE,
      page: createMetricsPage({
        counters,
        gauges: () => gauges(lanes, apis, health),
        version,
        revision: () => active.revision,
      }),
    },
    health,
    entrance: entranceSettings(settings),
  });
  journal.onHealth((able, reason) => health.storing(able, reason));
  return {
    resume: async () => {
      journal.onReopened((plan) => {
        pipeline.resume([plan]).catch((error: Error) => telemetry.emit({ kind: 'fault', error: error.message }));
      });
      return pipeline.resume(await journal.openPlans());
    },
    listen: async () => {
      await executor.ready();
      const port = await server.listen(settings.listen_address, settings.listen_port);
      health.set('ok');
      return port;
    },
    activate: async (next) => {
      active = await keepPolicy(next, journal, makePolicy);
      intake.use({ scanner: next.evaluator, policy: active });
    },
    idle: () => lanes.idle(),
    stop: async (grace) => {
      health.set('stopping');
      stopping.abort(new Error('the server is stopped'));
      lanes.close();
      const timer = setTimeout(() => over.abort(stopping.signal.reason), grace);
      const stopped = Promise.all([server.close(), lanes.idle()]);
      await Promise.race([stopped, sleep(grace + LAST_WORDS, undefined, { ref: false })]);
      clearTimeout(timer);
      await executor.end();
    },
  };
}

function createLanes(settings: Settings): Lanes {
  return new Lanes({
    tasks: settings.max_pending_events,
    bytes: settings.max_pending_bytes,
    perLane: settings.max_pending_per_target,
    running: settings.max_running_plans,
  });
}

/** Makes policies out of what the journal keeps of them. Their guards share the budgets, which outlive them all. */
async function createPolicies(
  { settings, journal, lookups }: WiringOptions,
  apis: Apis,
): Promise<(stored: StoredPolicy) => Policy> {
  const now = Date.now;
  const budgets = new Budgets(await journal.budgetsUsedSince(now() - LONGEST_WINDOW_SECONDS * 1000));
  const shared = { budgets, lookups: guardLookups(lookups, apis), dryRun: settings.dry_run, now };
  return ({ revision, rules, guards }) => ({ revision, rules, guard: createGuard({ policies: guards, ...shared }) });
}

/** The policy of an engine, once the journal has it: plans that refer to it may come from then on. */
async function keepPolicy(
  { revision, rules, guards }: Engine,
  journal: Journal,
  makePolicy: (stored: StoredPolicy) => Policy,
): Promise<Policy> {
  const stored: StoredPolicy = { revision, rules: rules.map(({ match: _, ...rule }) => rule), guards };
  const policy = makePolicy(stored);
  await journal.keepPolicy(stored);
  return policy;
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

function gauges(lanes: Lanes, apis: Apis, health: Health): readonly GaugeValue[] {
  return [
    ['pending_events', lanes.size],
    ['running_plans', lanes.running],
    ...health.status().degraded.map((line) => ['degraded', 1, { part: line.split(':', 1)[0] ?? '' }] as const),
    ...[...apis.states()].map(({ api, open }) => ['breaker_open', Number(open), { api }] as const),
  ];
}

/** Log line and counter of each transition, from the one record. */
export function createTelemetry({ settings, log, write, counters }: TelemetryOptions): Telemetry {
  const eventLine = createEventLine(settings.logFormat, Date.now);
  return {
    accepted: (rule, priority, source) => counters.addEvent(rule, priority, source),
    emit: (transition) => {
      if (transition.kind === 'event') {
        write(eventLine(transition.alert));
        return;
      }
      const record = logTransition(transition);
      if (record) log(record);
      const count = transitionCount(transition);
      if (count) counters.add(...count);
    },
  };
}

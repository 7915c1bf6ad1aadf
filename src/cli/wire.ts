import pino from 'pino';
import type { Catalog } from '../model/definition.ts';
import type { Adapters } from '../model/doors.ts';
import { LOG_FIELDS, type LogField, type LogLevel, type LogRecord } from '../model/log-record.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { Telemetry } from '../model/transition.ts';
import type { Counters } from '../platform/telemetry/counters.ts';
import { createEventLine } from '../platform/telemetry/event-line.ts';
import type { LineSink } from '../platform/telemetry/line-sink.ts';
import { escapeJsonText, formatLogLine, type LogFormat, logMembers } from '../platform/telemetry/log-line.ts';
import { createMetricsPage, METRICS_CONTENT_TYPE } from '../platform/telemetry/metrics-page.ts';
import { transitionCount } from '../platform/telemetry/transition-count.ts';
import { logTransition } from '../platform/telemetry/transition-log.ts';
import { DedupWindow } from '../runtime/dedup.ts';
import { createExecutor } from '../runtime/execute.ts';
import { createGuard } from '../runtime/guard.ts';
import { Intake } from '../runtime/intake.ts';
import { Lanes } from '../runtime/lanes.ts';
import { createNotify } from '../runtime/notify.ts';
import type { Engine } from '../runtime/open-bundle.ts';
import { Pipeline } from '../runtime/pipeline.ts';
import { Server } from '../runtime/server.ts';
import type { Settings } from './settings.ts';

/** Writes one record as a line. */
export type Log = (record: LogRecord) => void;

/** Alerts whose plans run at the same moment. More wait, so that the other side is not flooded. */
const PLANS_SIDE_BY_SIDE = 128;

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

export interface WiringOptions {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly adapters: Adapters;
  readonly log: Log;
  readonly write: LineSink;
  readonly counters: Counters;
  readonly version: string;
}

/** A server with all that is behind it, before it listens. */
export interface WiredServer {
  /** Begins to listen. @returns the port */
  listen(): Promise<number>;
  /** Takes no more alerts, lets plans end, and gives up those that have not ended by then. Resolves when nothing runs. */
  stop(graceMilliseconds: number): Promise<void>;
}

/** Puts the parts of the server together: the one place that knows them all. */
export function wireServer(options: WiringOptions): WiredServer {
  const { settings, engine, counters, version } = options;
  const telemetry = createTelemetry(options);
  const abort = new AbortController();
  const lanes = new Lanes({
    tasks: settings.max_pending_events,
    bytes: settings.max_pending_bytes,
    running: PLANS_SIDE_BY_SIDE,
  });
  const intake = createIntake(options, telemetry, lanes, abort.signal);
  let stopping = false;
  const server = new Server({
    intake,
    telemetry,
    limits: { bodyBytes: settings.max_body_bytes, connections: settings.max_connections },
    metrics: {
      contentType: METRICS_CONTENT_TYPE,
      page: createMetricsPage({ counters, version, revision: engine.revision }),
    },
    isReady: () => !stopping,
  });
  return {
    listen: () => server.listen(settings.listen_address, settings.listen_port),
    stop: async (grace) => {
      stopping = true;
      await server.close();
      const timer = setTimeout(() => abort.abort(new Error('the server is stopped')), grace);
      await lanes.idle();
      clearTimeout(timer);
    },
  };
}

function createIntake(options: WiringOptions, telemetry: Telemetry, lanes: Lanes, signal: AbortSignal): Intake {
  const { settings, engine, catalog, adapters } = options;
  const pipeline = new Pipeline({
    actionners: catalog.actionners,
    executor: createExecutor(adapters),
    guard: createGuard({ dryRun: settings.dry_run }),
    notify: createNotify(),
    dedup: new DedupWindow(settings.deduplication.time_window_seconds, () => performance.now()),
    lanes,
    telemetry,
    logsEvents: !settings.print_all_events,
    actionDeadline: (settings.action_timeout_seconds || 60) * 1000,
    signal,
  });
  const rules: readonly PlannedRule[] = engine.rules;
  return new Intake({
    scanner: engine.evaluator,
    rules,
    pipeline,
    telemetry,
    printAllEvents: settings.print_all_events,
  });
}

/** Log line and counter of each transition, from the one record. */
function createTelemetry({ settings, log, write, counters }: WiringOptions): Telemetry {
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

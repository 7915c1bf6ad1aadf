import process from 'node:process';
import type { Catalog } from '../../model/definition.ts';
import type { LogRecord } from '../../model/log-record.ts';
import { createRedactor, type Redact } from '../../model/redact.ts';
import { TalonError } from '../../model/talon-error.ts';
import { InputFiles } from '../../platform/files/input-files.ts';
import type { Spool } from '../../platform/spool/spool.ts';
import { openJournal } from '../../platform/sqlite/journal.ts';
import { Counters, countCommit } from '../../platform/telemetry/counters.ts';
import { createLineSink, type LineSink } from '../../platform/telemetry/line-sink.ts';
import { createLogClock, formatLogLine } from '../../platform/telemetry/log-line.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import { entranceSettings } from '../../runtime/entrance/entrance-settings.ts';
import { Health } from '../../runtime/health.ts';
import type { PluginScripts } from '../../runtime/plugins/execute.ts';
import { buildInfo } from '../build-info.ts';
import { journalNoticeLines } from '../journal/journal-notice.ts';
import { journalPath } from '../journal/journal-path.ts';
import { openSpool } from '../open-spool.ts';
import { createPlatform, type Platform } from '../platform.ts';
import { catalog as builtIn } from '../plugins/catalog.ts';
import { pluginScripts } from '../plugins/plugin-scripts.gen.ts';
import { Refused } from '../refused.ts';
import { secretValues } from '../settings/secret-values.ts';
import { secretVariables } from '../settings/secret-variables.ts';
import { type Environment, fallbackLogFormat, loadSettings, type Settings } from '../settings/settings.ts';
import { workerStart } from '../worker-file.ts';
import { firstLooks } from './first-looks.ts';
import { Categories } from './init-categories.ts';
import { listen } from './listen.ts';
import { loadPolicy } from './load-policy.ts';
import { reportProcessFaults } from './process-faults.ts';
import { Reloader } from './reload.ts';
import { createLog, createTelemetry, type Log } from './server-log.ts';
import { keepHeapSmall } from './small-heap.ts';
import {
  notifierLines,
  refuseElection,
  refuseUnknown,
  startWarnings,
  wantedNotifiers,
  warning,
} from './start-checks.ts';
import { onHangup, stopSignal } from './stop-signal.ts';
import { type WiredServer, wireServer } from './wire.ts';

export interface ServerOptions {
  /** Undefined: defaults and environment alone. */
  readonly configFile: string | undefined;
  readonly rulesFlags: readonly string[];
  readonly policiesFlags?: readonly string[];
  /** A packed bundle to serve in place of rules and policies. */
  readonly bundleFile?: string | undefined;
  readonly env: Environment;
  /** Takes the drawn findings about the rules. */
  readonly err: (text: string) => void;
  /** Whether they are drawn in colours. */
  readonly color: boolean;
  /** Resolves when the server is to end. If it is not given, the process itself is listened to. */
  readonly untilStopped?: () => Promise<unknown>;
  /** Gets what to call when a reload is asked for, in place of the process's SIGHUP. */
  readonly onHangup?: (reload: () => void) => void;
  /** File descriptor of the log; stdout if not given. */
  readonly logDescriptor?: number;
  /** The plug-ins and the scripts that run them, if not those of this version. */
  readonly catalog?: Catalog;
  readonly scripts?: PluginScripts;
}

/** Milliseconds without a change after which a file counts as written to its end. */
const QUIET = 500;

/** What is there before anything can fail but the settings. */
interface Parts {
  readonly options: ServerOptions;
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly counters: Counters;
  readonly write: LineSink;
  readonly redact: Redact | undefined;
  readonly log: Log;
}

/** What is there before the journal is opened. */
interface Loaded {
  readonly engine: Engine;
  readonly platform: Platform;
  readonly categories: Categories;
  readonly health: Health;
  readonly spool: Spool;
}

/** What to end when the server ends, in the order of its making. */
type Ends = (() => Promise<unknown>)[];

/**
 * The command `server`: reads settings, rules and policies, opens the journal, goes on with what is open in it, listens, and
 * ends when it is told to. The log goes to stdout.
 *
 * @returns the exit code: 0 after an orderly end, 1 if it did not start; then a fatal line says why
 */
export async function runServer(options: ServerOptions): Promise<number> {
  const counters = new Counters();
  const { write, flush } = createLineSink(options.logDescriptor ?? process.stdout.fd, (lines) =>
    counters.add('lost_log_lines', {}, lines),
  );
  process.on('exit', flush);
  try {
    return await run(options, counters, write);
  } finally {
    flush();
    process.off('exit', flush);
  }
}

async function run(options: ServerOptions, counters: Counters, sink: LineSink): Promise<number> {
  const endStart = keepHeapSmall();
  const settings = readSettings(options, sink);
  if (!settings) return 1;
  const { catalog = builtIn } = options;
  const redact = createRedactor([...secretValues(settings, catalog.notifiers), ...secretVariables(options.env)]);
  const write: LineSink = redact ? (line) => sink(redact(line)) : sink;
  const log = createLog(settings.logFormat, write, createLogClock(Date.now));
  const stopped = options.untilStopped?.() ?? processEvents(log);
  const ends: Ends = [];
  try {
    await start({ options, settings, catalog, counters, write, redact, log }, ends);
    setImmediate(endStart);
    await stopped;
    log({ level: 'info', message: 'http', fields: { result: 'shutting down' } });
    return 0;
  } catch (error) {
    const tag = error instanceof Refused ? error.tag : error instanceof TalonError ? error.code : undefined;
    if (tag === undefined) throw error;
    log({ level: 'fatal', message: tag, fields: { error: (error as Error).message } });
    return 1;
  } finally {
    for (const end of ends.reverse()) await end().catch((error: unknown) => log(endFault(error)));
  }
}

/** What cannot be ended keeps nothing else from it. */
function endFault(error: unknown): LogRecord {
  return { level: 'error', message: 'http', fields: { error: `the server did not end in order: ${error}` } };
}

function readSettings(options: ServerOptions, write: LineSink): Settings | undefined {
  try {
    const settings = loadSettings(options);
    entranceSettings(settings);
    return settings;
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    const record: LogRecord = { level: 'fatal', message: 'config', fields: { error: error.message } };
    write(formatLogLine(record, fallbackLogFormat(options.env), new Date()));
    return undefined;
  }
}

/** Everything up to the socket, in Falco Talon's order, and after it the watch of the files. */
async function start(parts: Parts, ends: Ends): Promise<void> {
  const { options, settings, log } = parts;
  const { emit } = createTelemetry(parts);
  const spool = await openSpool(settings, options.env);
  const platform = createPlatform(settings, options.env, spool);
  ends.push(() => platform.close());
  for (const result of settings.warnings) log(warning('config', { result }));
  const categories = new Categories(platform.init, parts.catalog, log);
  const load = policyLoader(parts, platform, categories);
  const active = new InputFiles();
  const engine = await load(active);
  tellStart(engine, parts);
  const health = new Health(emit);
  const server = await wire(parts, { engine, platform, categories, health, spool }, ends);
  await server.resume();
  await listen(server, settings, log);
  const reloader = new Reloader({
    active,
    load,
    activate: (fresh) => server.activate(fresh),
    ...{ emit, health, log },
    quiet: QUIET,
    poll: settings.watch_poll_seconds * 1000,
  });
  ends.push(async () => reloader.stop());
  if (settings.watch_rules) reloader.watch();
  (options.onHangup ?? onHangup)(() => void reloader.reload());
}

/** What makes an engine of the files, and all that it needs ready, at start and with each reload. */
function policyLoader(
  { options, settings, catalog, log }: Parts,
  platform: Platform,
  categories: Categories,
): (inputs: InputFiles) => Promise<Engine> {
  const { bundleFile, err, color } = options;
  const { rulesFiles, policiesFiles } = settings;
  const sources = {
    scriptsFolder: settings.scripts_folder,
    rulesFiles,
    policiesFiles,
    bundleFile,
    catalog,
    log,
    err,
    color,
  };
  return async (inputs) => {
    const engine = await loadPolicy(sources, inputs);
    refuseUnknown(engine.rules, catalog, log);
    if (!settings.dry_run) {
      await categories.init(engine);
      await categories.initNotifiers(wantedNotifiers(settings, engine.rules));
      void firstLooks(engine.rules, catalog, platform).then((lines) => lines.forEach(log));
    }
    for (const line of notifierLines(settings, engine.rules, catalog)) log(line);
    return engine;
  };
}

/** The lines between the rules and the socket. @throws Refused */
function tellStart({ rules }: Engine, { options, settings, log }: Parts): void {
  for (const line of startWarnings(settings)) log(line);
  const tell = (result: string) => log({ level: 'info', message: 'init', fields: { result } });
  tell(`${rules.length} rule(s) has/have been successfully loaded`);
  if (settings.watch_rules) tell('watch of rules enabled');
  refuseElection(settings, options.env);
}

async function wire(
  parts: Parts,
  { engine, platform, categories, health, spool }: Loaded,
  ends: Ends,
): Promise<WiredServer> {
  const { options, settings, redact, log, counters } = parts;
  const { adapters, lookups, contexts } = platform;
  const { retention_hours: retentionHours, max_bytes: maxBytes, max_waiting_bytes: maxWaitingBytes } = settings.journal;
  const journal = await openJournal({
    file: journalPath(settings, options.env),
    worker: workerStart('journal'),
    ...{ retentionHours, maxBytes, maxWaitingBytes, redact },
    onNotice: (notice) => journalNoticeLines(notice).forEach(log),
    onCommit: (records, milliseconds) => countCommit(counters, records, milliseconds),
  });
  ends.push(() => journal.end());
  const { scripts = pluginScripts } = options;
  const server = await wireServer({
    ...parts,
    spool,
    engine,
    adapters,
    lookups,
    contexts,
    scripts,
    journal,
    health,
    // A refusal is logged where it is noticed; the plans that it is about find out what they cannot do.
    prepare: (policy) => (settings.dry_run ? Promise.resolve() : categories.init(policy).catch(() => undefined)),
    version: buildInfo.version,
  });
  // Where it never listened, nobody waits for what it resumed.
  ends.push(() => server.stop(health.status().text === 'starting' ? 0 : settings.shutdown_grace_seconds * 1000));
  return server;
}

/** Resolves when the process is told to end. */
function processEvents(log: Log): Promise<unknown> {
  reportProcessFaults(log);
  return stopSignal();
}

import process from 'node:process';
import { compile } from '../compiler/compile.ts';
import { renderDiagnostics } from '../compiler/render-diagnostics.ts';
import type { LogRecord } from '../model/log-record.ts';
import type { PlannedRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';
import { createKubeAdapters, type KubeAdapters } from '../platform/kube/kube-adapters.ts';
import { Counters } from '../platform/telemetry/counters.ts';
import { createLineSink, type LineSink } from '../platform/telemetry/line-sink.ts';
import { formatLogLine } from '../platform/telemetry/log-line.ts';
import { Health } from '../runtime/health.ts';
import { MemoryJournal } from '../runtime/memory-journal.ts';
import { type Engine, MAX_BUNDLE_BYTES, openBundle, openRules } from '../runtime/open-bundle.ts';
import { buildInfo } from './build-info.ts';
import { catalog } from './catalog.ts';
import { reportProcessFaults } from './process-faults.ts';
import { fileProblem, readUpTo } from './read-file.ts';
import { readEmbeddedFile, readRulesFiles } from './read-rules-files.ts';
import { type Environment, fallbackLogFormat, loadSettings, type Settings } from './settings.ts';
import { type Refusal, refuseElection, refuseUnbuilt, startWarnings } from './start-checks.ts';
import { keepStartSmall } from './start-heap.ts';
import { stopSignal } from './stop-signal.ts';
import { createLog, createTelemetry, type Log, type WiredServer, wireServer } from './wire.ts';

export interface ServerOptions {
  /** Undefined: defaults and environment alone. */
  readonly configFile: string | undefined;
  readonly rulesFlags: readonly string[];
  /** Files of `-p`, likewise. */
  readonly policiesFlags?: readonly string[];
  /** A packed bundle to serve in place of rules files. */
  readonly bundleFile?: string | undefined;
  readonly env: Environment;
  /** Takes the drawn findings about the rules. */
  readonly err: (text: string) => void;
  /** Whether they are drawn in colours. */
  readonly color: boolean;
  /** Resolves when the server is to end. If it is not given, the process itself is listened to. */
  readonly untilStopped?: () => Promise<unknown>;
  /** File descriptor of the log; stdout if not given. */
  readonly logDescriptor?: number;
}

/** Why the server does not start, as its fatal line says it. */
class StartRefused extends Error {
  readonly tag: string;
  constructor(tag: string, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.tag = tag;
  }
}

/**
 * The command `server`: reads settings and rules, checks that all they need is there, listens, and ends when it is told to.
 * The log goes to stdout.
 *
 * @returns the exit code: 0 after an orderly end, 1 if it did not start; then a fatal line says why
 */
export async function runServer(options: ServerOptions): Promise<number> {
  const endStart = keepStartSmall();
  const counters = new Counters();
  const write = createLineSink(options.logDescriptor ?? process.stdout.fd, () => counters.add('lost_log_lines', {}));
  const settings = readSettings(options, write);
  if (!settings) return 1;
  const log = createLog(settings.logFormat, write, () => new Date());
  const { env } = options;
  const kube = createKubeAdapters({
    kubeconfig: settings.kubeconfig,
    serviceHost: env.KUBERNETES_SERVICE_HOST,
    servicePort: env.KUBERNETES_SERVICE_PORT,
    podName: env.POD_NAME ?? env.HOSTNAME,
  });
  try {
    const engine = await loadEngine(options, settings, log);
    await prepare(engine.rules, settings, kube, env, log);
    const telemetry = createTelemetry({ settings, log, write, counters });
    const parts = {
      settings,
      engine,
      catalog,
      scripts: new Map<string, string>(),
      adapters: kube.adapters,
      lookups: kube.lookups,
      journal: new MemoryJournal(),
      health: new Health((transition) => telemetry.emit(transition)),
      log,
      write,
      counters,
      version: buildInfo.version,
    };
    const server = await wireServer(parts);
    await server.resume();
    const { stopped } = await listen(server, settings, options, log);
    setImmediate(endStart);
    await stopped;
    log({ level: 'info', message: 'http', fields: { result: 'shutting down' } });
    await server.stop(settings.shutdown_grace_seconds * 1000);
    return 0;
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    log({ level: 'fatal', message: error.tag, fields: { error: error.message } });
    return 1;
  } finally {
    await kube.close();
  }
}

function readSettings(
  { configFile, rulesFlags, policiesFlags = [], env }: ServerOptions,
  write: LineSink,
): Settings | undefined {
  try {
    return loadSettings({ configFile, rulesFlags, policiesFlags, env });
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    const record: LogRecord = { level: 'fatal', message: 'config', fields: { error: error.message } };
    write(formatLogLine(record, fallbackLogFormat(env), new Date()));
    return undefined;
  }
}

async function loadEngine(options: ServerOptions, settings: Settings, log: Log): Promise<Engine> {
  if (options.bundleFile !== undefined) return loadBundle(options.bundleFile);
  const files = readRulesFiles(settings.rulesFiles);
  const { bundle, diagnostics, records, sources } = compile(files, { catalog, readFile: readEmbeddedFile });
  options.err(renderDiagnostics(diagnostics, sources, 'text', { color: options.color }));
  for (const fields of records) log({ level: 'error', message: 'rules', fields: { ...fields } });
  if (!bundle) throw new StartRefused('rules', 'invalid rules');
  return openRules(bundle);
}

async function loadBundle(file: string): Promise<Engine> {
  try {
    return await openBundle(readUpTo(file, MAX_BUNDLE_BYTES));
  } catch (error) {
    const reason = error instanceof TalonError ? error.message : `open ${file}: ${fileProblem(error)}`;
    throw new StartRefused('rules', reason, { cause: error });
  }
}

/** Everything between the rules and the socket, in Falco Talon's order. */
async function prepare(
  rules: readonly PlannedRule[],
  settings: Settings,
  kube: KubeAdapters,
  env: Environment,
  log: Log,
): Promise<void> {
  refuse(refuseUnbuilt(rules, catalog), log);
  if (!settings.dry_run) await initCategories(rules, kube, log);
  for (const line of startWarnings(settings, rules)) log(line);
  log({
    level: 'info',
    message: 'init',
    fields: { result: `${rules.length} rule(s) has/have been successfully loaded` },
  });
  refuse(refuseElection(settings, env), log);
}

function refuse(refusal: Refusal | undefined, log: Log): void {
  if (!refusal) return;
  for (const line of refusal.lines) log(line);
  throw new StartRefused(refusal.tag, refusal.reason);
}

/** A category that no rule uses is not initialised: the server runs without a cluster then. */
async function initCategories(rules: readonly PlannedRule[], kube: KubeAdapters, log: Log): Promise<void> {
  const usesKube = rules.some(({ actions }) => actions.some(({ actionner }) => actionner.startsWith('kubernetes:')));
  if (!usesKube) return;
  const category = 'kubernetes';
  try {
    await kube.init();
    log({ level: 'info', message: 'init', fields: { category, status: 'success' } });
  } catch (error) {
    if (!(error instanceof TalonError)) throw error;
    log({ level: 'error', message: 'init', fields: { category, status: 'failure', error: error.message } });
    throw new StartRefused('actionners', error.message, { cause: error });
  }
}

/** Listens. @returns what resolves when the server is to end */
async function listen(
  server: WiredServer,
  settings: Settings,
  options: ServerOptions,
  log: Log,
): Promise<{ readonly stopped: Promise<unknown> }> {
  const stopped = options.untilStopped?.() ?? processEvents(log);
  const { listen_address: address } = settings;
  const port = await server.listen().catch((error: NodeJS.ErrnoException) => {
    throw new StartRefused('http', `listen tcp ${address}:${settings.listen_port}: ${bindProblem(error)}`);
  });
  log({ level: 'info', message: 'http', fields: { result: `Falco Talon is up and listening on ${address}:${port}` } });
  return { stopped };
}

/** Resolves when the process is told to end. */
function processEvents(log: Log): Promise<unknown> {
  reportProcessFaults(log);
  return stopSignal();
}

/** In the words of the program that users know. */
function bindProblem(error: NodeJS.ErrnoException): string {
  const known: Record<string, string> = {
    EADDRINUSE: 'bind: address already in use',
    EACCES: 'bind: permission denied',
    EADDRNOTAVAIL: 'bind: cannot assign requested address',
  };
  return known[error.code ?? ''] ?? error.message;
}

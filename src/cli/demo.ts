import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Compiled, compile } from '../compiler/compile.ts';
import type { Journal } from '../model/journal.ts';
import { TalonError } from '../model/talon-error.ts';
import { openJournal } from '../platform/sqlite/journal.ts';
import { Counters } from '../platform/telemetry/counters.ts';
import { logTime } from '../platform/telemetry/log-line.ts';
import { type Engine, openRules } from '../runtime/engine/open-bundle.ts';
import { Health } from '../runtime/health.ts';
import { buildInfo } from './build-info.ts';
import { type DemoAlert, demoHeader, demoPage, demoSummary, type LoggedAction } from './demo-page.ts';
import { packageRoot } from './package-root.ts';
import { createPlatform } from './platform.ts';
import { catalog } from './plugins/catalog.ts';
import { pluginScripts } from './plugins/plugin-scripts.gen.ts';
import { readEmbeddedFile, readRulesFiles } from './read-rules-files.ts';
import { createLog, createTelemetry } from './server/server-log.ts';
import { type WiredServer, wireServer } from './server/wire.ts';
import { loadSettings, type Settings } from './settings/settings.ts';
import type { CommandContext } from './talon-command.ts';
import { workerStart } from './worker-file.ts';

export interface DemoFlags {
  readonly dryRun?: boolean;
}

const SHIPPED_RULES = ['compromise.yaml', 'suspicion.yaml'];
/** Milliseconds for the actions on a cluster to end. */
const GRACE = 30_000;

/**
 * `demo`: starts the server as it is, with the shipped rules (or those of `-r`) on a free port of the loopback, sends it
 * alerts as Falco would, and shows for each the rules that matched, the plan and what became of it. Acts on the cluster of
 * KUBECONFIG; without one, or with `--dry-run`, nothing is done. Ends with 0 whatever the outcomes are: they are shown.
 */
export async function demo({ terminal, globals }: CommandContext, flags: DemoFlags): Promise<number> {
  const folder = path.join(packageRoot(), 'rules');
  const rulesFlags = globals.rules.length > 0 ? globals.rules : SHIPPED_RULES.map((name) => path.join(folder, name));
  const settings = demoSettings(globals.config, rulesFlags, terminal.env, flags.dryRun ?? false);
  const engine = openShipped(compile(readRulesFiles(settings.rulesFiles), { catalog, readFile: readEmbeddedFile }));
  const platform = createPlatform(settings, {});
  const scratch = mkdtempSync(path.join(tmpdir(), 'talon-demo-'));
  const journal = await openScratchJournal(path.join(scratch, 'journal.db'), settings);
  const lines: string[] = [];
  try {
    if (!settings.dry_run) await platform.init.get('kubernetes')?.();
    const server = await wireServer({
      ...demoParts(settings, lines, terminal.now),
      ...platform,
      engine,
      journal,
    });
    const address = `127.0.0.1:${await server.listen()}`;
    const context = settings.dry_run ? undefined : await contextName(settings.kubeconfig);
    terminal.out(demoHeader({ address, context, rules: engine.rules.length, files: settings.rulesFiles }));
    const alerts = await replay(readAlertLines(path.join(folder, 'demo/alerts.jsonl')), address, server, engine);
    const actions = lines.flatMap(loggedAction);
    for (const alert of alerts) terminal.out(demoPage(terminal, alert, actions));
    terminal.out(demoSummary(alerts, actions, context));
  } finally {
    await journal.end();
    await platform.close();
    rmSync(scratch, { recursive: true });
  }
  return 0;
}

function openScratchJournal(file: string, { journal }: Settings): Promise<Journal> {
  return openJournal({
    file,
    worker: workerStart('journal'),
    retentionHours: journal.retention_hours,
    maxBytes: journal.max_bytes,
    maxWaitingBytes: journal.max_waiting_bytes,
  });
}

/** What the server of the demo has like any other; its log goes to `lines`. */
function demoParts(settings: Settings, lines: string[], now: () => Date) {
  const write = (line: string): void => void lines.push(line);
  const log = createLog(settings.logFormat, write, () => logTime(now()));
  const telemetry = { settings, log, write, counters: new Counters() };
  const health = new Health(createTelemetry(telemetry).emit);
  return { ...telemetry, health, catalog, scripts: pluginScripts, version: buildInfo.version };
}

function demoSettings(
  configFile: string | undefined,
  rulesFlags: readonly string[],
  env: CommandContext['terminal']['env'],
  dryRun: boolean,
): Settings {
  const own = {
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    LOG_FORMAT: 'json',
    DEDUPLICATION_LEADER_ELECTION: 'false',
  };
  const settings = loadSettings({ configFile, rulesFlags, env: { ...env, ...own } });
  return { ...settings, dry_run: settings.dry_run || dryRun || settings.kubeconfig === '' };
}

function openShipped({ bundle, diagnostics }: Compiled): Engine {
  if (bundle) return openRules(bundle);
  const { message = '' } = diagnostics.find(({ severity }) => severity === 'error') ?? {};
  throw new TalonError('rules', `the rules of the demo are refused, see \`talon rules check\`: ${message}`);
}

async function contextName(kubeconfig: string): Promise<string> {
  const { loadKubeConfig } = await import('../platform/kube/kube-config.ts');
  return loadKubeConfig({ kubeconfig }).getCurrentContext();
}

function readAlertLines(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

/** Posts the alerts one after the other, as Falco does, and waits until all their plans have ended. */
async function replay(
  bodies: readonly string[],
  address: string,
  server: WiredServer,
  engine: Engine,
): Promise<readonly DemoAlert[]> {
  const alerts: DemoAlert[] = [];
  for (const [index, body] of bodies.entries()) {
    const traceId = (index + 1).toString(16).padStart(32, '0');
    const headers = { 'content-type': 'application/json', traceparent: `00-${traceId}-${traceId.slice(16)}-01` };
    const response = await fetch(`http://${address}/`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    const answer = engine.evaluate(Buffer.from(body));
    alerts.push({ body, traceId, status: response.status, planned: answer.ok ? answer.plan.rules : [] });
  }
  await Promise.race([server.idle(), sleep(GRACE, undefined, { ref: false })]);
  await server.stop(0);
  return alerts;
}

/** The log lines that say how an action ended. */
function loggedAction(line: string): LoggedAction[] {
  const { message, status, ...fields } = JSON.parse(line) as Partial<Record<string, string>>;
  if (message !== 'action' || status === 'in_progress') return [];
  const { trace_id = '', rule = '', action = '', error, output, result } = fields;
  return [{ traceId: trace_id, rule, action, status: status ?? 'dry run', text: error ?? result ?? output ?? '' }];
}

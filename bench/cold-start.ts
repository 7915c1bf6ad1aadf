import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { benchRules } from './alerts.ts';
import { rulesFile } from './rules-file.ts';

/** The build that is measured: what users run. */
const ROOT = path.resolve(import.meta.dirname, '..');
const TALON = path.join(ROOT, 'dist/talon.js');
const RUNS = 9;

/** Milliseconds from the start of the process, medians: to its end, or until the server takes alerts. */
export interface ColdStartResult {
  readonly what: string;
  readonly median: number;
  readonly quickest: number;
  readonly goal: number;
}

/** How long a fresh process takes. Prints as it goes. */
export async function benchColdStart(): Promise<ColdStartResult[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-cold-'));
  console.log(`cold start: ${RUNS} processes each, load ${loadavg()[0]?.toFixed(1)}`);
  try {
    const config = serverConfig(folder);
    const shipped = ['compromise', 'evidence', 'suspicion'].flatMap((name) => [
      '-r',
      path.join(ROOT, `rules/${name}.yaml`),
    ]);
    return [
      await measured('node itself', 150, () => runToEnd(['-e', '0'])),
      await measured('talon version', 150, () => runToEnd([TALON, 'version'])),
      await measured('talon rules check, the shipped rules', 300, () =>
        runToEnd([TALON, 'rules', 'check', ...shipped]),
      ),
      await measured('talon server until ready, 1,000 rules', 600, () => runUntilReady(config)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measured(what: string, goal: number, run: () => number | Promise<number>): Promise<ColdStartResult> {
  await run(); // fills the caches of the file system
  const times: number[] = [];
  for (let n = 0; n < RUNS; n++) times.push(await run());
  times.sort((a, b) => a - b);
  const [quickest = Number.NaN] = times;
  const median = times[Math.floor(RUNS / 2)] ?? Number.NaN;
  const verdict = median <= goal ? 'reached' : 'MISSED';
  console.log(`  ${what}: ${median.toFixed(0)} ms (quickest ${quickest.toFixed(0)}), goal ${goal} ${verdict}`);
  return { what, median, quickest, goal };
}

function runToEnd(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const time = performance.now() - start;
  if (status !== 0) throw new Error(`\`${args.join(' ')}\` ended with ${status}: ${stderr}`);
  return time;
}

function serverConfig(folder: string): string {
  const rules = path.join(folder, 'rules.yaml');
  const config = path.join(folder, 'config.json');
  writeFileSync(rules, rulesFile(benchRules(1_000, { named: true }).rules));
  const settings = {
    listen_address: '127.0.0.1',
    listen_port: 0,
    rules_files: [rules],
    log_format: 'text',
    watch_rules: false,
    dry_run: true,
    deduplication: { leader_election: false },
    journal: { path: path.join(folder, 'journal.db') },
  };
  writeFileSync(config, JSON.stringify(settings));
  return config;
}

/** The line that says so is written when the port is open. */
function runUntilReady(config: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const server = spawn(process.execPath, [TALON, 'server', '-c', config], { stdio: ['ignore', 'pipe', 'ignore'] });
    let time: number | undefined;
    let text = '';
    server.stdout.on('data', (chunk) => {
      text += chunk;
      if (time !== undefined || !text.includes('listening on')) return;
      time = performance.now() - start;
      server.kill('SIGTERM');
    });
    server.on('error', reject);
    server.on('exit', () => {
      if (time === undefined) reject(new Error(`the server ended before it was ready: ${text}`));
      else resolve(time);
    });
  });
}

if (process.argv[1] === import.meta.filename) await benchColdStart();

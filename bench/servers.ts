import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';

/** The build that is measured: what users run. */
const TALON = path.join(import.meta.dirname, '../dist/talon.js');

/** A server under measurement, in a process of its own. */
export interface Server {
  readonly port: number;
  /** Microseconds of CPU so far. */
  cpu(): number;
  /** Resident megabytes. */
  memory(): number;
  stop(): Promise<void>;
}

/** What a benchmark may want otherwise. */
export interface TalonOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** The built server with these rules, in a dry run: that needs no cluster, and where alerts match, no action takes time. */
export async function startTalon(
  rules: string,
  print: boolean,
  folder: string,
  { env = {}, settings: more = {} }: TalonOptions = {},
): Promise<Server> {
  const files = {
    rules: path.join(folder, 'rules.yaml'),
    config: path.join(folder, 'config.json'),
    log: path.join(folder, 'log'),
  };
  writeFileSync(files.rules, rules);
  writeFileSync(files.log, '');
  const settings = {
    listen_address: '127.0.0.1',
    listen_port: 0,
    rules_files: [files.rules],
    log_format: 'text',
    print_all_events: print,
    watch_rules: false,
    dry_run: true,
    deduplication: { leader_election: false },
    journal: { path: path.join(folder, 'journal.db') },
    ...more,
  };
  writeFileSync(files.config, JSON.stringify(settings));
  const log = openSync(files.log, 'a');
  // On stderr are drawings of what is odd about generated rules.
  const child = spawn(process.execPath, [TALON, 'server', '-c', files.config], {
    stdio: ['ignore', log, 'ignore'],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  return serverOf(child, () => /listening on 127\.0\.0\.1:(\d+)/.exec(readFileSync(files.log, 'utf8'))?.[1]);
}

/** The yardstick. Bundled like the product, because what runs TypeScript as it is costs the server some speed. */
export async function startBare(folder: string): Promise<Server> {
  const script = path.join(folder, 'bare-fastify.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'bare-fastify.ts')],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return serverOf(child, () => /listening on (\d+)/.exec(text)?.[1]);
}

async function serverOf(child: ChildProcess, portIfUp: () => string | undefined): Promise<Server> {
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  let port = portIfUp();
  for (const deadline = Date.now() + 60_000; port === undefined; port = portIfUp()) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('a server did not start; is it built?');
    await sleep(50);
  }
  return {
    port: Number(port),
    cpu: () => cpuOf(child.pid ?? 0),
    memory: () => memoryOf(child.pid ?? 0),
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Of all threads. Linux counts hundredths of a second. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * 10_000;
}

function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

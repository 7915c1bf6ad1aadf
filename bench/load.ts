import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Requests as fast as the connections allow, each sent when the one before is answered. */
export interface Load {
  readonly port: number;
  /** Bodies, sent round robin. */
  readonly bodies: readonly string[];
  readonly seconds: number;
  readonly connections: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Answers other than 200, and broken connections. */
  readonly failed: number;
}

/** `wrk` where it is installed; it leaves the server more of a machine with two cores. Else a generator in Node. */
export const GENERATOR = spawnSync('wrk', ['--version']).error ? 'node' : 'wrk';

/** Puts a load on a server. @throws when the generator fails */
export async function putLoad(load: Load): Promise<LoadResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-load-'));
  try {
    return GENERATOR === 'wrk' ? await wrk(load, folder) : await nodeLoad(load, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One answer line; the thread reads the bodies before the clock starts. */
const SCRIPT = `
local requests, at = {}, 0
init = function(args)
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format('POST', '/', { ['Content-Type'] = 'application/json' }, body)
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT %d %d %d %d %d %d\\n', summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), latency.max, e.status + e.connect + e.read + e.write + e.timeout))
end
`;

async function wrk({ port, bodies, seconds, connections }: Load, folder: string): Promise<LoadResult> {
  const script = path.join(folder, 'load.lua');
  const alerts = path.join(folder, 'alerts.ndjson');
  writeFileSync(script, SCRIPT);
  writeFileSync(alerts, bodies.join('\n'));
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}/`, '--', alerts];
  return parseResult(await output('wrk', options));
}

async function nodeLoad(load: Load, folder: string): Promise<LoadResult> {
  const file = path.join(folder, 'load.json');
  writeFileSync(file, JSON.stringify(load));
  return parseResult(
    await output(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'node-load.ts'), file]),
  );
}

/** Counts, and times in microseconds. */
function parseResult(text: string): LoadResult {
  const numbers = /RESULT (.+)/.exec(text)?.[1]?.split(' ').map(Number);
  if (!numbers) throw new Error(`the load generator failed: ${text}`);
  const [requests = 0, duration = 1, p50 = 0, p99 = 0, max = 0, failed = 0] = numbers;
  return { requests, perSecond: requests / (duration / 1e6), p50: p50 / 1e3, p99: p99 / 1e3, max: max / 1e3, failed };
}

function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Requests as fast as the connections allow, each sent when the one before is answered. */
export interface Load {
  readonly port: number;
  /** Bodies, sent round robin. Where one holds {@link COUNTER}, a number stands in its place that is another each time. */
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

/** Twelve characters in a body that the generator puts a number of as many digits in the place of. */
export const COUNTER = '@@@@@@@@@@@@';

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
local requests, at, sent = {}, 0, 0
init = function(args)
  sent = tonumber(args[2])
  for body in io.lines(args[1]) do
    local request = wrk.format('POST', '/', { ['Content-Type'] = 'application/json' }, body)
    local first, last = string.find(request, '${COUNTER}', 1, true)
    if first then request = { string.sub(request, 1, first - 1), string.sub(request, last + 1) } end
    requests[#requests + 1] = request
  end
end
request = function()
  at = at % #requests + 1
  local request = requests[at]
  if type(request) == 'string' then return request end
  sent = sent + 1
  return request[1] .. string.format('%012d', sent) .. request[2]
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
  const options = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${port}/`,
    '--',
    alerts,
    firstNumber(),
  ];
  return parseResult(await output('wrk', options));
}

/** Counts on from load to load, so that no alert of a later one repeats one of an earlier one. */
function firstNumber(): string {
  return `${Date.now() % 1e8}0000`;
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

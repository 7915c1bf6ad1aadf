import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { benchColdStart } from './cold-start.ts';
import { benchEngine } from './engine.ts';
import { benchIngest } from './ingest.ts';
import { benchJournal } from './journal.ts';
import { benchSandbox } from './sandbox.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const RESULTS = path.join(ROOT, 'bench/results.json');

/** Runs all benchmarks, or those that are named (`npm run bench -- engine`), and writes their figures to results.json. */
async function main(chosen: readonly string[]): Promise<void> {
  const benches = {
    engine: benchEngine,
    'cold-start': benchColdStart,
    ingest: benchIngest,
    journal: benchJournal,
    sandbox: benchSandbox,
  };
  const names = Object.keys(benches) as (keyof typeof benches)[];
  const unknown = chosen.filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const running = chosen.length === 0 ? names : names.filter((name) => chosen.includes(name));
  if (running.some((name) => name !== 'engine')) buildIfAbsent();
  const results: Record<string, unknown> = { node: process.version, processor: cpus()[0]?.model, cores: cpus().length };
  for (const name of running) results[name] = await benches[name]();
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`written: ${path.relative(process.cwd(), RESULTS)}`);
}

function buildIfAbsent(): void {
  if (existsSync(path.join(ROOT, 'dist/talon.js'))) return;
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}

await main(process.argv.slice(2));

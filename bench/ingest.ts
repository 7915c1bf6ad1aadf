import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchAlerts, benchRules } from './alerts.ts';
import { GENERATOR, type LoadResult, putLoad } from './load.ts';
import { rulesFile } from './rules-file.ts';
import { type Server, startBare, startTalon } from './servers.ts';

const CONNECTIONS = 16;

/** Falco Talon (its main branch in 2026) on a machine like the one that the goals were set on: requests/s and p99 in ms. */
const FALCO_TALON = { named: { perSecond: 13_175, p99: 4.88 }, nameless: { perSecond: 9_524, p99: 14.3 } };

interface Scenario {
  readonly name: string;
  readonly rules: number;
  readonly named: boolean;
  readonly print: boolean;
  /** Least share of the rate of bare Fastify. */
  readonly goal: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: '1,000 rules', rules: 1_000, named: true, print: false, goal: 0.8 },
  { name: '1,000 nameless rules', rules: 1_000, named: false, print: false, goal: 0.8 },
  { name: '10,000 rules', rules: 10_000, named: true, print: false, goal: 0.6 },
  { name: '1,000 rules, every alert logged', rules: 1_000, named: true, print: true, goal: 0.6 },
];

const P99_GOAL = 2.5;
const MEMORY_GOALS = { idle: 150, loaded: 250 };

/** One scenario beside bare Fastify; rates and times are medians over the rounds. */
export interface IngestResult {
  readonly name: string;
  readonly perSecond: number;
  readonly bare: number;
  /** Median of the ratios of the rounds. */
  readonly ratio: number;
  /** The same of the inverse CPU times, which other work on the machine disturbs less. */
  readonly cpuRatio: number;
  readonly goal: number;
  readonly p99: number;
  readonly bareP99: number;
  /** CPU of the process, microseconds per request. */
  readonly cpu: number;
  readonly bareCpu: number;
  /** Resident memory in MB, before and after the load. */
  readonly idle: number;
  readonly loaded: number;
  readonly falcoTalon: { readonly perSecond: number; readonly p99: number };
}

export interface IngestOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * Alerts that match nothing, over HTTP, at the built server and at a Fastify handler that only answers: alternating, so that
 * what else the machine does hits both. Prints a table as it goes.
 */
export async function benchIngest(
  { rounds, seconds }: IngestOptions = { rounds: 3, seconds: 4 },
): Promise<IngestResult[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-ingest-'));
  const bare = await startBare(folder);
  const results: IngestResult[] = [];
  console.log(
    `ingest: ${GENERATOR}, ${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each, load ${loadavg()[0]?.toFixed(1)}`,
  );
  try {
    for (const scenario of SCENARIOS) {
      const result = await measure(scenario, bare, folder, rounds, seconds);
      results.push(result);
      report(result);
    }
  } finally {
    await bare.stop();
    rmSync(folder, { recursive: true });
  }
  return results;
}

async function measure(
  scenario: Scenario,
  bare: Server,
  folder: string,
  rounds: number,
  seconds: number,
): Promise<IngestResult> {
  const { rules, matching } = benchRules(scenario.rules, { named: scenario.named });
  const bodies = benchAlerts().flatMap((alert, index) => (matching.has(index) ? [] : [JSON.stringify(alert)]));
  const server = await startTalon(rulesFile(rules), scenario.print, folder);
  try {
    await sleep(1_000);
    const idle = server.memory();
    const put = (to: Server, time: number) =>
      measured(to, { port: to.port, bodies, seconds: time, connections: CONNECTIONS });
    for (const each of [bare, server]) await put(each, 1);
    const pairs: { readonly bare: Measured; readonly ours: Measured }[] = [];
    for (let round = 0; round < rounds; round++)
      pairs.push({ bare: await put(bare, seconds), ours: await put(server, seconds) });
    return {
      name: scenario.name,
      goal: scenario.goal,
      perSecond: median(pairs.map(({ ours }) => ours.perSecond)),
      bare: median(pairs.map((pair) => pair.bare.perSecond)),
      ratio: median(pairs.map((pair) => pair.ours.perSecond / pair.bare.perSecond)),
      cpuRatio: median(pairs.map((pair) => pair.bare.cpu / pair.ours.cpu)),
      p99: median(pairs.map(({ ours }) => ours.p99)),
      bareP99: median(pairs.map((pair) => pair.bare.p99)),
      cpu: median(pairs.map(({ ours }) => ours.cpu)),
      bareCpu: median(pairs.map((pair) => pair.bare.cpu)),
      idle,
      loaded: server.memory(),
      falcoTalon: scenario.named ? FALCO_TALON.named : FALCO_TALON.nameless,
    };
  } finally {
    await server.stop();
  }
}

type Measured = LoadResult & { readonly cpu: number };

async function measured(server: Server, load: Parameters<typeof putLoad>[0]): Promise<Measured> {
  const before = server.cpu();
  const result = await putLoad(load);
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  return { ...result, cpu: (server.cpu() - before) / result.requests };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(result: IngestResult): void {
  const { name, falcoTalon } = result;
  const verdict = (good: boolean) => (good ? 'reached' : 'MISSED');
  console.log(`  ${name}`);
  console.log(
    `    ${whole(result.perSecond)}/s, bare Fastify ${whole(result.bare)}/s: ratio ${result.ratio.toFixed(2)} ` +
      `(by CPU ${result.cpuRatio.toFixed(2)}), goal ${result.goal.toFixed(2)} ${verdict(result.ratio >= result.goal)}`,
  );
  console.log(`    CPU per request ${result.cpu.toFixed(1)} us, bare ${result.bareCpu.toFixed(1)} us`);
  console.log(
    `    p99 ${result.p99.toFixed(2)} ms (bare ${result.bareP99.toFixed(2)}), goal ${P99_GOAL} ${verdict(result.p99 <= P99_GOAL)}`,
  );
  console.log(
    `    Falco Talon: ${whole(falcoTalon.perSecond)}/s at ${falcoTalon.p99} ms: ${(result.perSecond / falcoTalon.perSecond).toFixed(1)} times its rate, ` +
      `${(result.p99 / falcoTalon.p99).toFixed(2)} of its p99`,
  );
  const { idle, loaded } = MEMORY_GOALS;
  console.log(
    `    memory idle ${whole(result.idle)} MB (goal ${idle}), after the load ${whole(result.loaded)} MB (goal ${loaded})`,
  );
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

if (process.argv[1] === import.meta.filename) await benchIngest();

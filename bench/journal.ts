import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyRule } from '../src/model/rule.ts';
import { benchAlerts, benchRules } from './alerts.ts';
import type { BenchAlert } from './bench-alert.ts';
import { type CommitFigures, CommitProbe } from './commit-probe.ts';
import { COUNTER, GENERATOR, putLoad } from './load.ts';
import { plainLoop } from './plain-loop.ts';
import { rulesFile } from './rules-file.ts';
import { type Server, startBare, startTalon } from './servers.ts';
import { storeRate } from './store-rate.ts';

const RULES = 1_000;
/** Of the alerts that match, so many pods are spoken of. */
const PODS = 500;
/** Where the log goes: to write 30,000 lines a second is not what is measured. */
const LOG_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const SLOW_SYNC_MICROSECONDS = 2_000;
/** Until then the compilers of V8 take a good part of two cores. */
const WARM_UP_SECONDS = 3;

interface Scenario {
  readonly name: string;
  /** Whether all alerts match, or one in twenty. */
  readonly all: boolean;
  readonly connections: number;
  readonly slow: boolean;
  /** Least share of bare Fastify, where that is the goal. */
  readonly goal?: number;
  /** Highest p99 in milliseconds. */
  readonly p99?: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: '5 % match', all: false, connections: 16, slow: false, goal: 0.6, p99: 5 },
  { name: 'all match', all: true, connections: 16, slow: false, goal: 0.25, p99: 10 },
  { name: 'all match', all: true, connections: 64, slow: false, goal: 0.4 },
  { name: 'all match, slow disk', all: true, connections: 16, slow: true },
  { name: 'all match, slow disk', all: true, connections: 64, slow: true },
  { name: '5 % match, slow disk', all: false, connections: 16, slow: true },
];

/** Share of what the store alone writes that is reached where every alert matches, with 16 connections. */
const OF_STORE = 0.35;
/** Share of its limit that the server reaches where the disk is what limits it: two commits are waited for on average. */
const OF_SLOW_DISK = 0.7;
/** Share of the rate with a fast disk that is left on the slow one where one alert in twenty has to wait for it. */
const HARDLY_NOTICED = 0.5;
const MEMORY_GOALS = { idle: 150, loaded: 250 };

/** One scenario beside bare Fastify; medians over the rounds. */
export interface JournalResult extends CommitFigures {
  readonly name: string;
  readonly connections: number;
  /** Answers of 200 per second. */
  readonly perSecond: number;
  readonly bare: number;
  readonly ratio: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers of 503 in all rounds. */
  readonly refused: number;
  /** CPU of all threads, microseconds per request. */
  readonly cpu: number;
  readonly bareCpu: number;
  /** What the store alone writes per second, in alerts, at the same number of them per commit. */
  readonly store: number;
  readonly idle: number;
  readonly loaded: number;
}

export interface JournalBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * Alerts that match, over HTTP, at the built server, which answers when they are on disk; beside a Fastify handler that only
 * answers, alternating. It is a dry run: plans are made, recorded, run and closed, but no action takes time. Each alert is
 * another one and matches one rule or none; the log is in memory. Prints a table as it goes.
 */
export async function benchJournal(options: JournalBenchOptions = { rounds: 3, seconds: 4 }): Promise<JournalResult[]> {
  const { rounds, seconds } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-journal-bench-'));
  const shim = slowSyncLibrary(folder);
  const bare = await startBare(folder);
  const results: JournalResult[] = [];
  console.log(
    `journal: ${GENERATOR}, ${RULES} rules, dry run, ${rounds} rounds of ${seconds} s each, load ${loadavg()[0]?.toFixed(1)}`,
  );
  if (!shim) console.log('  no C compiler (cc): what needs a slow disk is left out');
  try {
    for (const scenario of SCENARIOS.filter(({ slow }) => shim || !slow)) {
      const result = await measure(scenario, bare, folder, scenario.slow ? shim : undefined, options);
      results.push(result);
      report(scenario, result, results);
    }
  } finally {
    await bare.stop();
    rmSync(folder, { recursive: true });
  }
  return results;
}

/** The shim that makes syncs slow, or undefined where nothing compiles it. */
function slowSyncLibrary(folder: string): string | undefined {
  const library = path.join(folder, 'slow-sync.so');
  const source = path.join(import.meta.dirname, 'slow-sync.c');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], { stdio: 'ignore' });
  return status === 0 ? library : undefined;
}

async function measure(
  { name, all, connections }: Scenario,
  bare: Server,
  parent: string,
  shim: string | undefined,
  { rounds, seconds }: JournalBenchOptions,
): Promise<JournalResult> {
  const folder = mkdtempSync(path.join(parent, 'run-'));
  const logFolder = mkdtempSync(path.join(LOG_FOLDER, 'talon-journal-bench-'));
  const { rules } = benchRules(RULES, { named: true });
  const bodies = all ? matchingBodies(rules) : benchAlerts().map(numbered);
  const env = shim ? { LD_PRELOAD: shim, SLOW_SYNC_MICROSECONDS: String(SLOW_SYNC_MICROSECONDS) } : {};
  const settings = { journal: { path: path.join(folder, 'journal.db') } };
  const server = await startTalon(rulesFile(rules), false, logFolder, { env, settings });
  try {
    await sleep(1_000);
    const idle = server.memory();
    const put = (to: Server, time: number) => measured(to, { port: to.port, bodies, seconds: time, connections });
    for (const each of [bare, server]) await put(each, WARM_UP_SECONDS);
    const pairs: { readonly bare: Measured; readonly ours: Measured; readonly commits: CommitFigures }[] = [];
    for (let round = 0; round < rounds; round++) {
      const bareRound = await put(bare, seconds);
      const probe = await CommitProbe.start(server.port);
      const ours = await put(server, seconds);
      pairs.push({ bare: bareRound, ours, commits: await probe.end() });
    }
    const middle = (of: (pair: (typeof pairs)[number]) => number) => median(pairs.map(of));
    const alertsPerCommit = middle(({ commits }) => commits.alertsPerCommit);
    return {
      name,
      connections,
      perSecond: middle(({ ours }) => ours.storedPerSecond),
      bare: middle((pair) => pair.bare.storedPerSecond),
      ratio: middle((pair) => pair.ours.storedPerSecond / pair.bare.storedPerSecond),
      p50: middle(({ ours }) => ours.p50),
      p99: middle(({ ours }) => ours.p99),
      refused: pairs.reduce((sum, { ours }) => sum + ours.refused, 0),
      cpu: middle(({ ours }) => ours.cpu),
      bareCpu: middle((pair) => pair.bare.cpu),
      alertsPerCommit,
      recordsPerCommit: middle(({ commits }) => commits.recordsPerCommit),
      commit: middle(({ commits }) => commits.commit),
      store: shim ? Number.NaN : storeRate(path.join(folder, 'store.db'), alertsPerCommit, bodies),
      idle,
      loaded: server.memory(),
    };
  } finally {
    await server.stop();
    rmSync(logFolder, { recursive: true });
  }
}

/** Alerts that match one rule each, about many pods. */
function matchingBodies(rules: readonly PolicyRule[]): string[] {
  const alerts = benchAlerts().filter((alert) => plainLoop(rules, alert).length === 1);
  return Array.from({ length: PODS }, (_, index) => {
    const alert = alerts[index % alerts.length] as BenchAlert;
    const fields = { ...alert.output_fields, 'k8s.pod.name': `web-${index}` };
    return numbered({ ...alert, output_fields: fields });
  });
}

/** With a number in its output, so that no alert repeats another one. */
function numbered(alert: BenchAlert): string {
  return JSON.stringify({ ...alert, output: `${alert.output} ${COUNTER}` });
}

interface Measured {
  readonly stored: number;
  readonly storedPerSecond: number;
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
}

async function measured(server: Server, load: Parameters<typeof putLoad>[0]): Promise<Measured> {
  const before = server.cpu();
  const { requests, perSecond, failed, p50, p99 } = await putLoad(load);
  const share = (requests - failed) / requests;
  return {
    stored: requests - failed,
    storedPerSecond: perSecond * share,
    refused: failed,
    p50,
    p99,
    cpu: (server.cpu() - before) / requests,
  };
}

function report(scenario: Scenario, result: JournalResult, all: readonly JournalResult[]): void {
  const verdict = (good: boolean) => (good ? 'reached' : 'MISSED');
  console.log(`  ${result.name}, ${result.connections} connections`);
  const { goal } = scenario;
  const wanted = goal === undefined ? '' : `, goal ${goal.toFixed(2)} ${verdict(result.ratio >= goal)}`;
  console.log(
    `    ${whole(result.perSecond)}/s, bare Fastify ${whole(result.bare)}/s: ratio ${result.ratio.toFixed(2)}${wanted}` +
      `${result.refused > 0 ? `; ${whole(result.refused)} refused with 503` : ''}`,
  );
  const p99 = scenario.p99 === undefined ? '' : `, goal ${scenario.p99} ${verdict(result.p99 <= scenario.p99)}`;
  console.log(`    p50 ${result.p50.toFixed(2)} ms, p99 ${result.p99.toFixed(2)} ms${p99}`);
  console.log(
    `    ${result.alertsPerCommit.toFixed(1)} alerts and ${result.recordsPerCommit.toFixed(1)} records per commit of ` +
      `${result.commit.toFixed(2)} ms (median); CPU per request ${result.cpu.toFixed(1)} us, bare ${result.bareCpu.toFixed(1)} us`,
  );
  if (scenario.slow) reportSlow(scenario, result, all, verdict);
  else reportStore(scenario, result, verdict);
  const { idle, loaded } = MEMORY_GOALS;
  console.log(
    `    memory idle ${whole(result.idle)} MB (goal ${idle}), after the load ${whole(result.loaded)} MB (goal ${loaded})`,
  );
}

function reportStore({ all, connections }: Scenario, result: JournalResult, verdict: (good: boolean) => string): void {
  const share = (result.perSecond * (all ? 1 : 0.05)) / result.store;
  const goal = all && connections === 16 ? `, goal ${OF_STORE} ${verdict(share >= OF_STORE)}` : '';
  console.log(
    `    the store alone: ${whole(result.store)} alerts/s at that batch size, share ${share.toFixed(2)}${goal}`,
  );
}

function reportSlow(
  scenario: Scenario,
  result: JournalResult,
  all: readonly JournalResult[],
  verdict: (good: boolean) => string,
): void {
  if (scenario.all) {
    const limit = result.connections / (2 * (result.commit / 1e3));
    const share = result.perSecond / limit;
    console.log(
      `    limit of the disk ${whole(limit)}/s (connections / 2 commits): share ${share.toFixed(2)}, ` +
        `goal ${OF_SLOW_DISK} ${verdict(share >= OF_SLOW_DISK)}`,
    );
    return;
  }
  const fast = all.find(({ name, connections }) => name === '5 % match' && connections === result.connections);
  const share = result.ratio / (fast?.ratio ?? Number.NaN);
  console.log(
    `    against the same load on the fast disk: ${share.toFixed(2)}, goal ${HARDLY_NOTICED} ${verdict(share >= HARDLY_NOTICED)}`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

if (process.argv[1] === import.meta.filename) await benchJournal();

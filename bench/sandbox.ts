import { loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { noop } from '../e2e/plugins/noop.ts';
import type { Actionner } from '../src/model/definition.ts';
import { createExecutor, type Executor } from '../src/runtime/plugins/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../src/runtime/plugins/executor-fixture.ts';
import { loops, loopsInBuiltIns, loopsInMicrotasks } from '../src/runtime/sandbox/hostile-plugins.ts';
import { buildPluginScript } from '../tools/generate/plugin-scripts.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
/** The thread as users have it. */
const BUILT = { script: pathToFileURL(path.join(ROOT, 'dist/workers/sandbox.js')), eval: false };
const HOSTILE = 'src/runtime/sandbox/hostile-plugins.ts';
const STEPS = 2_000;
const STARTS = 7;
const CROWD = 15;

interface Spread {
  readonly median: number;
  readonly p99: number;
}

/** Microseconds, milliseconds and megabytes, as the names say. */
export interface SandboxResult {
  readonly roundTripUs: Spread;
  /** A step with one door. */
  readonly stepUs: Spread;
  readonly pacedStepUs: Spread;
  /** Processor time of a step, of both threads. */
  readonly stepCpuUs: number;
  readonly stepsPerSecond: number;
  readonly startMs: Spread;
  readonly idleMb: number;
  readonly afterWorkMb: number;
  /** How long an innocent step takes while a crowd of loops is about. */
  readonly crowdMs: Readonly<Record<string, number>>;
}

/** What the sandbox costs a step, and what a crowd of endless loops costs the others. Prints as it goes. */
export async function benchSandbox(): Promise<SandboxResult> {
  console.log(`sandbox: load ${loadavg()[0]?.toFixed(1)}`);
  const before = rss();
  const roundTripUs = await measured('bare round trip to a thread', await echo(), STEPS);
  const executor = await newExecutor();
  await wait(300);
  const idleMb = rss() - before;
  const step = () => run(executor, noop);
  await repeat(500, step);
  const cpu = process.cpuUsage();
  const stepUs = await measured('a step with one door', step, STEPS);
  const { user, system } = process.cpuUsage(cpu);
  const stepCpuUs = (user + system) / STEPS;
  const ratio = stepUs.median / roundTripUs.median;
  const verdict = stepUs.median < 1_000 ? 'reached' : 'MISSED';
  console.log(
    `    processor time ${stepCpuUs.toFixed(0)} us, ${ratio.toFixed(0)} bare round trips; goal 1,000 us ${verdict}`,
  );
  const pacedStepUs = await measured('the same, one every 15 ms', () => wait(15).then(() => timed(step)), 100, true);
  const stepsPerSecond = await throughput(step);
  const afterWorkMb = rss() - before;
  console.log(`  memory added (RSS): ${idleMb.toFixed(0)} MB idle, ${afterWorkMb.toFixed(0)} MB after work`);
  await executor.end();
  const startMs = await starts();
  return {
    ...{ roundTripUs, stepUs, pacedStepUs, stepCpuUs, stepsPerSecond, startMs, idleMb, afterWorkMb },
    crowdMs: await crowds(),
  };
}

async function newExecutor(): Promise<Executor> {
  const hostile = [loops, loopsInMicrotasks, loopsInBuiltIns].map(({ id }) => scriptOf(HOSTILE, id));
  const scripts = await Promise.all([scriptOf('e2e/plugins/noop.ts', noop.id), ...hostile]);
  const { adapters } = fakeAdapters({ 'pods.owner': async () => null });
  const executor = createExecutor({ adapters, scripts: new Map(scripts), worker: BUILT });
  await executor.ready();
  return executor;
}

async function scriptOf(file: string, id: string): Promise<readonly [string, string]> {
  return [id, await buildPluginScript(file, id.slice('test:'.length))];
}

const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop', 'proc.cmdline': 'x'.repeat(600) });
const never = new AbortController().signal;

function run(executor: Executor, actionner: Actionner) {
  const { record } = memoryRecord();
  return executor.run({ actionner, parameters: null, event, record, milliseconds: 60_000 }, never);
}

/** A thread that sends back what it gets. */
async function echo(): Promise<() => Promise<unknown>> {
  const code =
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m));";
  const worker = new Worker(code, { eval: true });
  const asked = () =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage({ kind: 'answer', step: 1, answer: 'x'.repeat(600) });
    });
  await asked();
  worker.unref();
  return asked;
}

async function starts(): Promise<Spread> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const { adapters } = fakeAdapters();
    const begun = performance.now();
    const executor = createExecutor({ adapters, scripts: new Map(), worker: BUILT });
    await executor.ready();
    times.push(performance.now() - begun);
    await executor.end();
    await wait(50);
  }
  const spread = spreadOf(times);
  console.log(`  start to ready: median ${spread.median.toFixed(0)} ms, longest ${spread.p99.toFixed(0)} ms`);
  return spread;
}

/** For each kind of loop: a crowd of them starts, and an innocent step just after it. */
async function crowds(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const offender of [loops, loopsInMicrotasks, loopsInBuiltIns]) {
    const executor = await newExecutor();
    const crowd = Array.from({ length: CROWD }, () => run(executor, offender));
    await wait(5);
    const begun = performance.now();
    await run(executor, noop);
    const took = performance.now() - begun;
    await Promise.all(crowd);
    const whole = performance.now() - begun;
    const verdict = took < 1_000 ? 'reached' : 'MISSED';
    console.log(
      `  a crowd of ${CROWD}, ${offender.id}: an innocent step takes ${took.toFixed(0)} ms (the crowd ${whole.toFixed(0)} ms), goal 1,000 ${verdict}`,
    );
    found[offender.id] = took;
    await executor.end();
  }
  return found;
}

async function throughput(step: () => Promise<unknown>): Promise<number> {
  let left = STEPS * 2;
  const begun = performance.now();
  const worker = async () => {
    while (left-- > 0) await step();
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const perSecond = ((STEPS * 2) / (performance.now() - begun)) * 1_000;
  console.log(`  steps, 16 at a time: ${perSecond.toFixed(0)} a second`);
  return perSecond;
}

async function measured(
  what: string,
  act: () => Promise<unknown>,
  times: number,
  timesItself = false,
): Promise<Spread> {
  const all: number[] = [];
  await repeat(times, async () => {
    const took = timesItself ? ((await act()) as number) : await timed(act);
    all.push(took * 1_000);
  });
  const spread = spreadOf(all);
  console.log(`  ${what}: median ${spread.median.toFixed(0)} us, p99 ${spread.p99.toFixed(0)} us`);
  return spread;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

async function repeat(times: number, act: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) await act();
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}

function rss(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

if (process.argv[1] === import.meta.filename) await benchSandbox();

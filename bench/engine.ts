import { loadavg } from 'node:os';
import process from 'node:process';
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { checkRules } from '../src/compiler/check-rules.ts';
import { compile } from '../src/compiler/compile.ts';
import { link } from '../src/compiler/link.ts';
import { decodeEvent } from '../src/model/decode-event.ts';
import type { PolicyRule } from '../src/model/rule.ts';
import { createEvaluator, type Evaluator } from '../src/runtime/engine/evaluate.ts';
import { interpret } from '../src/runtime/engine/interpret.ts';
import { benchAlerts, benchRules } from './alerts.ts';
import type { BenchAlert } from './bench-alert.ts';
import { plainLoop } from './plain-loop.ts';
import { rulesFile } from './rules-file.ts';
import { type Contender, medianMilliseconds, milliseconds, type Timing, timings } from './sample.ts';

const RULE_COUNTS = [10, 100, 1_000, 10_000];
const REVISION = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const MILLION = 1_000_000;

const alerts = benchAlerts();
const bodies = alerts.map((alert) => Buffer.from(JSON.stringify(alert)));

type ContenderName = 'direct' | 'opaMatch' | 'opaPlan' | 'jsonParse' | 'plainLoop' | 'interpreter';

/** One set of rules. */
export interface EngineResult {
  readonly rules: number;
  readonly named: boolean;
  /** Microseconds per alert. */
  readonly perAlert: Readonly<Record<ContenderName, Timing>>;
  /** Milliseconds: rules file to checked rules, rules to module, bundle to archive, module to evaluator (first and later). */
  readonly compile: number;
  readonly link: number;
  readonly pack: number;
  readonly loadFirst: number;
  readonly load: number;
  /** Bytes. */
  readonly module: number;
  readonly memory: number;
}

/** Memory of the module, in bytes, around a million evaluations. */
export interface MillionResult {
  readonly before: number;
  readonly after: number;
  readonly seconds: number;
}

export interface EngineBench {
  readonly sets: readonly EngineResult[];
  readonly million: MillionResult;
}

/** The policy engine beside what one would do without it. Prints tables as it goes. */
export async function benchEngine(): Promise<EngineBench> {
  const sizes = bodies.map((body) => body.length);
  console.log(
    `engine: ${bodies.length} alerts of ${Math.min(...sizes)} to ${Math.max(...sizes)} bytes, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const sets: EngineResult[] = [];
  for (const named of [true, false]) {
    for (const count of RULE_COUNTS) {
      const result = await measure(count, named);
      sets.push(result);
      report(result);
    }
  }
  const million = evaluateMillion();
  reportGoals(sets, million);
  return { sets, million };
}

async function measure(count: number, named: boolean): Promise<EngineResult> {
  const { rules } = benchRules(count, { named });
  const files = [{ path: 'rules.yaml', text: rulesFile(rules) }];
  const module = link(rules, REVISION);
  let evaluator = createEvaluator(module, rules);
  const loadFirst = milliseconds(() => {
    evaluator = createEvaluator(module, rules);
  });
  checkAnswers(rules, evaluator);
  return {
    rules: count,
    named,
    perAlert: await perAlert(rules, module, evaluator),
    compile: medianMilliseconds(3, () => checkRules(files, { catalog })),
    link: medianMilliseconds(5, () => link(rules, REVISION)),
    pack: packTime(files),
    loadFirst,
    load: medianMilliseconds(9, () => createEvaluator(module, rules)),
    module: module.length,
    memory: evaluator.memoryBytes,
  };
}

function packTime(files: Parameters<typeof compile>[0]): number {
  const { bundle } = compile(files, { catalog });
  if (!bundle) throw new Error('the rules of the benchmark do not compile');
  return medianMilliseconds(3, () => bundle.pack());
}

/** A benchmark of wrong answers is worth nothing. */
function checkAnswers(rules: readonly PolicyRule[], evaluator: Evaluator): void {
  for (const [position, body] of bodies.entries()) {
    const count = evaluator.scan(body);
    const found = Array.from({ length: count }, (_, n) => evaluator.matched(n));
    const expected = plainLoop(rules, alerts[position] as BenchAlert);
    if (found.join() !== expected.join())
      throw new Error(`alert ${position}: ${found}, the plain loop says ${expected}`);
  }
}

async function perAlert(
  rules: readonly PolicyRule[],
  module: Uint8Array,
  evaluator: Evaluator,
): Promise<Record<ContenderName, Timing>> {
  const policy = await loadPolicy(exactBuffer(module));
  const buffers = bodies.map(exactBuffer);
  const texts = bodies.map(String);
  const quick = {
    direct: forEach(bodies, (body) => evaluator.scan(body)),
    opaMatch: forEach(buffers, (buffer) => policy.evaluate(buffer, 'talon/match')),
    opaPlan: forEach(buffers, (buffer) => policy.evaluate(buffer, 'talon/plan')),
    jsonParse: forEach(bodies, (body) => JSON.parse(body.toString())),
  };
  // What goes through all rules takes long: a twentieth of the alerts will do, and one of them matches as in the whole.
  const some = alerts.slice(0, alerts.length / 10);
  const slow = {
    plainLoop: forEach(some, (alert) => plainLoop(rules, alert)),
    interpreter: forEach(texts.slice(0, some.length), (text) => interpretText(rules, text)),
  };
  return { ...timings(quick, { rounds: 12, samples: 25 }), ...timings(slow, { rounds: 3, samples: 5 }) };
}

function interpretText(rules: readonly PolicyRule[], text: string): number[] {
  const decoded = decodeEvent(Buffer.from(text));
  return decoded.ok ? interpret(rules, decoded.event) : [];
}

function forEach<T>(items: readonly T[], act: (item: T) => unknown): Contender {
  return {
    items: items.length,
    run: () => {
      for (const item of items) act(item);
    },
  };
}

/** The only thing that opa-wasm takes for bytes. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function evaluateMillion(): MillionResult {
  const { rules } = benchRules(1_000, { named: true });
  const evaluator = createEvaluator(link(rules, REVISION), rules);
  for (const body of bodies) evaluator.scan(body);
  const before = evaluator.memoryBytes;
  const elapsed = milliseconds(() => {
    for (let n = 0; n < MILLION; n++) evaluator.scan(bodies[n % bodies.length] as Buffer);
  });
  return { before, after: evaluator.memoryBytes, seconds: elapsed / 1000 };
}

function report({ rules, named, perAlert, ...rest }: EngineResult): void {
  const { direct, opaMatch, opaPlan, jsonParse, plainLoop: loop, interpreter } = perAlert;
  const micro = ({ median }: Timing) => `${median < 10 ? median.toFixed(2) : median.toFixed(0)} us`;
  const ratio = ({ median }: Timing) => `${(median / jsonParse.median).toFixed(2)}`;
  console.log(`  ${rules.toLocaleString('en-US')} ${named ? 'rules' : 'nameless rules'}`);
  console.log(
    `    per alert: direct ${micro(direct)}, opa-wasm ${micro(opaMatch)} (talon/match) ${micro(opaPlan)} (talon/plan), ` +
      `JSON.parse ${micro(jsonParse)}, plain loop on parsed alerts ${micro(loop)}, interpreter ${micro(interpreter)}`,
  );
  console.log(
    `    to JSON.parse: direct ${ratio(direct)}, opa-wasm ${ratio(opaMatch)} and ${ratio(opaPlan)}, ` +
      `JSON.parse and loop ${((jsonParse.median + loop.median) / jsonParse.median).toFixed(2)}`,
  );
  console.log(
    `    check ${rest.compile.toFixed(1)} ms, link ${rest.link.toFixed(1)} ms, pack ${rest.pack.toFixed(1)} ms, ` +
      `load ${rest.load.toFixed(1)} ms (first ${rest.loadFirst.toFixed(1)}), module ${rest.module >> 10} KB, memory ${rest.memory >> 10} KB`,
  );
}

function reportGoals(sets: readonly EngineResult[], million: MillionResult): void {
  const find = (count: number) => sets.find(({ rules, named }) => rules === count && named) as EngineResult;
  const ratio = (count: number, contender: ContenderName) =>
    find(count).perAlert[contender].median / find(count).perAlert.jsonParse.median;
  const growth = find(10_000).perAlert.direct.median / find(10).perAlert.direct.median;
  const goals: readonly (readonly [what: string, value: number, most: number])[] = [
    ['direct to JSON.parse at 1,000 rules', ratio(1_000, 'direct'), 0.35],
    ['direct to JSON.parse at 10,000 rules', ratio(10_000, 'direct'), 1.8],
    ['opa-wasm (talon/match) to JSON.parse at 1,000 rules', ratio(1_000, 'opaMatch'), 0.75],
    ['opa-wasm (talon/plan) to JSON.parse at 1,000 rules', ratio(1_000, 'opaPlan'), 0.75],
    ['an alert at 10,000 rules to one at 10', growth, 8],
    ['load of 10,000 rules, ms', find(10_000).load, 5],
  ];
  console.log('  goals');
  for (const [what, value, most] of goals) {
    console.log(`    ${what}: ${value.toFixed(2)}, at most ${most}: ${value <= most ? 'reached' : 'MISSED'}`);
  }
  const grown = million.after - million.before;
  console.log(
    `    a million evaluations in ${million.seconds.toFixed(1)} s: memory ${million.before >> 10} KB, then ${million.after >> 10} KB: ` +
      `${grown === 0 ? 'reached' : 'MISSED'}`,
  );
}

if (process.argv[1] === import.meta.filename) await benchEngine();

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Findings } from '../../compiler/findings.ts';
import { read } from '../../compiler/read.ts';
import { readYaml } from '../../compiler/read-yaml.ts';
import type { Source, Spot } from '../../compiler/source.ts';
import type { YamlNode } from '../../compiler/yaml-node.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json-value.ts';
import { changed, readJsonObject, removed, toJson, writeJson } from './event-json.ts';
import { GUARD_KEYS, readGuardedAction, readVerdict, VERDICT_KEYS } from './read-guarded-action.ts';
import { StrictMap, TestFindings } from './strict-map.ts';
import type {
  Expectation,
  ExpectedAction,
  ExpectedDiagnostic,
  GuardedAction,
  TestCase,
  TestFile,
} from './test-file.ts';

/** A test file, or all mistakes in it, each with its place; then also the source to draw them from. */
export interface ReadTestFile {
  readonly test?: TestFile;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
}

/** Reads one `*.test.yaml` file. `bytes` are its contents, `file` its path. Never throws for what stands in it. */
export function readTestFile(file: string, bytes: Uint8Array): ReadTestFile {
  const compilerFindings = new Findings();
  const source = read({ path: file, bytes }, compilerFindings);
  if (!source) return { diagnostics: compilerFindings.sorted(), sources: [] };
  const { documents, faults } = readYaml(source);
  for (const { code, message, hint, ...spot } of faults)
    compilerFindings.add(code, { source, ...spot }, message, { hint });
  if (faults.length > 0) return { diagnostics: compilerFindings.sorted(), sources: [source] };
  const root = documents[0] ?? { kind: 'map', source, start: 0, end: 0, entries: new Map() };
  const findings = new TestFindings();
  const test = new TestFileReader(file, findings).file(root);
  const { diagnostics } = findings;
  return { ...(diagnostics.length === 0 && { test }), diagnostics, sources: [source] };
}

const FILE_KEYS = ['rules', 'policies', 'tests'];
const CASE_KEYS = [
  ...['name', 'event', 'event_file', 'from', 'change', 'remove', 'rules_text', 'policies_text', 'expect'],
  ...GUARD_KEYS,
];
const EXPECT_KEYS = ['rules', 'plan', 'diagnostics', ...VERDICT_KEYS];
const ACTION_KEYS = ['rule', 'action', 'actionner', 'dry_run', 'parameters'];
const DIAGNOSTIC_KEYS = ['code', 'severity', 'message', 'line', 'column'];
const SOURCES = ['event', 'event_file', 'from'] as const;

/** The alert of a case: as an object where it can be one, for cases that change it. */
interface Alert {
  readonly bytes: Uint8Array;
  readonly json?: JsonObject | undefined;
}

class TestFileReader {
  readonly #path: string;
  readonly #findings: TestFindings;
  readonly #alerts = new Map<string, Alert | undefined>();
  readonly #guarded = new Map<string, GuardedAction | undefined>();

  constructor(file: string, findings: TestFindings) {
    this.#path = file;
    this.#findings = findings;
  }

  file(root: YamlNode): TestFile {
    const map = new StrictMap(root, 'a test file', FILE_KEYS, this.#findings);
    const rules = map.texts('rules')?.map((name) => this.#resolve(name));
    const policies = map.texts('policies')?.map((name) => this.#resolve(name));
    const tests = map.list('tests');
    if (!map.has('tests')) this.#missing(map.spot(), 'a test file has a list `tests`');
    else if (tests?.length === 0) this.#missing(map.spot('tests'), 'a test file has at least one test');
    const cases = (tests ?? []).map((node) => this.#case(node));
    return { path: this.#path, ...(rules && { rules }), ...(policies && { policies }), cases };
  }

  #case(node: YamlNode): TestCase {
    const map = new StrictMap(node, 'a test', CASE_KEYS, this.#findings);
    const name = map.text('name') ?? '';
    if (!name) this.#missing(map.spot(), 'a test has a `name`');
    else if (this.#alerts.has(name))
      this.#findings.add('T1804', map.spot('name'), `a test named \`${name}\` stands above`);
    const alert = this.#alert(map);
    this.#alerts.set(name, alert);
    const guarded = readGuardedAction(map, this.#guarded.get(map.text('from') ?? ''), this.#findings);
    this.#guarded.set(name, guarded);
    if (!map.has('expect')) this.#missing(map.spot(), 'a test has an `expect`');
    const expected = map.node('expect');
    const expect = expected ? this.#expectation(expected) : {};
    if ((expect.rules || expect.plan) && !SOURCES.some((key) => map.has(key))) {
      this.#missing(map.spot(), 'a test that expects rules or a plan has an `event`, an `event_file` or a `from`');
    }
    if (expect.verdict && !(guarded?.actionner && SOURCES.some((key) => map.has(key)))) {
      this.#missing(map.spot(), 'a test that expects a verdict has an alert (`event`, ...) and an `action`');
    }
    const place = node.source.place(node.start, node.end);
    const texts = defined({ rulesText: map.text('rules_text'), policiesText: map.text('policies_text') });
    return { name, place, expect, ...(alert && { event: alert.bytes }), ...(guarded && { guarded }), ...texts };
  }

  #alert(map: StrictMap): Alert | undefined {
    const given = SOURCES.filter((key) => map.has(key));
    if (given.length > 1)
      this.#findings.add('T1801', map.spot(given[1]), `a test has one of \`${given.join('`, `')}\``);
    const base = this.#baseAlert(map);
    if (!map.has('change') && !map.has('remove')) return base;
    if (!base?.json) {
      if (base || given.length === 0) {
        const key = map.has('change') ? 'change' : 'remove';
        this.#findings.add('T1803', map.spot(key), `\`${key}\` needs an alert that is a JSON object`);
      }
      return undefined;
    }
    return this.#variant(map, base.json);
  }

  #baseAlert(map: StrictMap): Alert | undefined {
    const event = map.node('event');
    if (event)
      return event.kind === 'map' ? fromJson(toJson(event) as JsonObject) : this.#kind(event, '`event` is a mapping');
    const file = map.text('event_file');
    if (file !== undefined) return this.#recorded(file, map.spot('event_file'));
    const from = map.text('from');
    if (from === undefined || this.#alerts.has(from)) return from === undefined ? undefined : this.#alerts.get(from);
    this.#findings.add('T1805', map.spot('from'), `no test named \`${from}\` stands above`);
    return undefined;
  }

  #variant(map: StrictMap, base: JsonObject): Alert | undefined {
    const change = map.node('change');
    if (change && change.kind !== 'map') return this.#kind(change, '`change` is a mapping');
    const withChanges = change ? changed(base, toJson(change) as JsonObject) : base;
    const result = removed(withChanges, map.texts('remove') ?? []);
    if ('event' in result) return fromJson(result.event);
    this.#findings.add('T1803', map.spot('remove'), `the alert has no \`${result.missing}\` to remove`);
    return undefined;
  }

  #recorded(name: string, spot: Spot): Alert | undefined {
    try {
      const bytes = readFileSync(this.#resolve(name));
      return { bytes, json: readJsonObject(bytes) };
    } catch (error) {
      this.#findings.add('T1806', spot, `cannot read \`${name}\`: ${(error as NodeJS.ErrnoException).code ?? error}`);
      return undefined;
    }
  }

  #expectation(node: YamlNode): Expectation {
    const map = new StrictMap(node, '`expect`', EXPECT_KEYS, this.#findings);
    if (!EXPECT_KEYS.some((key) => map.has(key))) {
      this.#missing(map.spot(), '`expect` has at least one of `rules`, `plan`, `diagnostics` and `verdict`');
    }
    const rules = map.texts('rules');
    const plan = map.list('plan')?.map((item) => this.#action(item));
    const diagnostics = map.list('diagnostics')?.map((item) => this.#diagnostic(item));
    return defined({ rules, plan, diagnostics, verdict: readVerdict(map) });
  }

  #action(node: YamlNode): ExpectedAction {
    const map = new StrictMap(node, 'a planned action', ACTION_KEYS, this.#findings);
    const parameters = map.node('parameters');
    if (parameters && parameters.kind !== 'map') this.#kind(parameters, '`parameters` is a mapping');
    return defined({
      rule: map.text('rule'),
      action: map.text('action'),
      actionner: map.text('actionner'),
      dry_run: map.flag('dry_run'),
      parameters: parameters?.kind === 'map' ? parameters.entries : undefined,
    });
  }

  #diagnostic(node: YamlNode): ExpectedDiagnostic {
    const map = new StrictMap(node, 'a diagnostic', DIAGNOSTIC_KEYS, this.#findings);
    return defined({
      code: map.text('code'),
      severity: map.text('severity'),
      message: map.text('message'),
      line: map.number('line'),
      column: map.number('column'),
    });
  }

  #missing(spot: Spot, message: string): void {
    this.#findings.missing(spot, message);
  }

  #kind(node: YamlNode, message: string): undefined {
    this.#findings.add('T1802', node, message);
  }

  #resolve(name: string): string {
    return path.isAbsolute(name) ? name : path.join(path.dirname(this.#path), name);
  }
}

function fromJson(json: JsonObject): Alert {
  return { bytes: Buffer.from(writeJson(json)), json };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { pluginScripts } from '../src/cli/plugins/plugin-scripts.gen.ts';
import { workerStart } from '../src/cli/worker-file.ts';
import { compile } from '../src/compiler/compile.ts';
import { DoorError } from '../src/model/door-error.ts';
import { BUDGET_KEYS } from '../src/model/guard-policy.ts';
import type { NodeFacts, PodFacts, TargetLookups } from '../src/model/target-facts.ts';
import type { PodTarget } from '../src/model/targets.ts';
import { type Engine, openRules } from '../src/runtime/engine/open-bundle.ts';
import { Budgets } from '../src/runtime/guards/budgets.ts';
import { createGuard } from '../src/runtime/guards/guard.ts';
import { createExecutor } from '../src/runtime/plugins/execute.ts';
import { fakeAdapters } from '../src/runtime/plugins/executor-fixture.ts';
import { World } from '../src/runtime/test-pipeline.ts';
import { celOf, type Facts, GuardOracle, type OraclePolicy, type Question } from './guard-oracle.ts';

const ID = '3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e';

/** The cluster: pods by their names, which are the same in all namespaces. */
const PODS: Readonly<Record<string, Pick<PodFacts, 'owner' | 'node' | 'labels' | 'containerIds'>>> = {
  'cart-0': {
    owner: { kind: 'ReplicaSet', name: 'cart' },
    node: 'worker',
    labels: { tier: 'front' },
    containerIds: [ID],
  },
  agent: { owner: { kind: 'DaemonSet', name: 'agent' }, node: 'control', labels: {}, containerIds: [ID] },
  alone: { owner: null, node: '', labels: { tier: 'back' }, containerIds: [] },
};
const lookups: TargetLookups = {
  pod: async ({ namespace, name }) => ({
    namespace,
    name,
    uid: `uid of ${name}`,
    ...(PODS[name] as (typeof PODS)[string]),
  }),
  node: async ({ name }): Promise<NodeFacts> => ({
    name,
    labels: name === 'control' ? { 'node-role.kubernetes.io/control-plane': '' } : {},
    hostnames: [name, `${name}.example`],
  }),
};

interface Sent {
  readonly namespace: string;
  readonly pod: string;
  readonly hostname: string;
  readonly containerId: string | undefined;
  readonly process: string | number | undefined;
  readonly odd: boolean | string | undefined;
  readonly source: string;
  /** Whether the API server says no to what is done for it. */
  readonly refused: boolean;
  /** Seconds that pass before it comes. */
  readonly wait: number;
}

interface Action {
  readonly actionner: 'kubernetes:terminate' | 'kubernetes:label';
  readonly continue: boolean;
  readonly ignore_errors: boolean;
}

interface Rule {
  readonly name: string;
  readonly source: string | undefined;
  readonly continue: boolean;
  readonly dry_run: boolean;
  readonly actions: readonly Action[];
}

const question = fc.letrec<{ any: Question }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('namespace' as const), value: fc.constantFrom('shop', 'bank') }),
    fc.record({ kind: fc.constant('pod' as const), value: fc.constantFrom(...Object.keys(PODS)) }),
    fc.record({ kind: fc.constant('owner' as const), value: fc.constantFrom('DaemonSet', 'ReplicaSet') }),
    fc.record({ kind: fc.constant('label' as const), value: fc.constantFrom('front', 'back') }),
    fc.record({ kind: fc.constant('process' as const), value: fc.constantFrom('sh', 'nc') }),
    fc.record({ kind: fc.constant('rule' as const), value: fc.constantFrom('Rule 0', 'Rule 1') }),
    fc.record({
      kind: fc.constantFrom('unverified', 'control plane', 'night', 'destructive', 'odd'),
    }) as fc.Arbitrary<Question>,
    fc.record({ kind: fc.constant('counted' as const), most: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), of: tie('any') }),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), left: tie('any'), right: tie('any') }),
  ),
})).any;

const policies: fc.Arbitrary<readonly OraclePolicy[]> = fc
  .array(
    fc.record({
      enforces: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      actionners: fc.subarray(['kubernetes:terminate', 'kubernetes:label', 'kubernetes:*', 'destructive']),
      deny: fc.array(question, { maxLength: 2 }),
      budgets: fc.array(
        fc.record({
          max: fc.integer({ min: 1, max: 3 }),
          window: fc.constantFrom(30, 120, 7_200),
          per: fc.subarray([...BUDGET_KEYS]),
        }),
        { maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) => drawn.map((policy, index) => ({ name: `Policy ${index}`, ...policy })));

const rules: fc.Arbitrary<readonly Rule[]> = fc
  .array(
    fc.record({
      source: fc.constantFrom(undefined, 'syscall', 'other'),
      continue: fc.boolean(),
      dry_run: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      actions: fc.array(
        fc.record({
          actionner: fc.constantFrom('kubernetes:terminate' as const, 'kubernetes:label' as const),
          continue: fc.boolean(),
          ignore_errors: fc.boolean(),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) => drawn.map((rule, index) => ({ name: `Rule ${index}`, ...rule })));

const alerts: fc.Arbitrary<readonly Sent[]> = fc.array(
  fc.record({
    namespace: fc.constantFrom('shop', 'bank'),
    pod: fc.constantFrom(...Object.keys(PODS)),
    hostname: fc.constantFrom('worker', 'control', 'control.example', ''),
    containerId: fc.constantFrom(undefined, ID, ID.slice(0, 12), ID.slice(0, 6), 'host'),
    process: fc.constantFrom(undefined, 'sh', 'nc', 5),
    odd: fc.constantFrom(undefined, undefined, true, false, 'text'),
    source: fc.constantFrom('syscall', 'other'),
    refused: fc.constantFrom(false, false, true),
    wait: fc.constantFrom(0, 1, 29, 60, 3_600),
  }),
  { minLength: 1, maxLength: 6 },
);

function rulesText(drawn: readonly Rule[]): string {
  return stringify(
    drawn.map(({ name, source, actions, ...flow }) => ({
      rule: name,
      match: { ...(source === undefined ? { output_fields: ['k8s.ns.name!=none'] } : { source }) },
      continue: String(flow.continue),
      dry_run: String(flow.dry_run),
      actions: actions.map((action, index) => ({
        action: `Action ${index}`,
        actionner: action.actionner,
        continue: String(action.continue),
        ignore_errors: String(action.ignore_errors),
        ...(action.actionner === 'kubernetes:label' && { parameters: { labels: { seen: 'yes' } } }),
      })),
    })),
  );
}

function policiesText(drawn: readonly OraclePolicy[]): string {
  return stringify(
    drawn.map(({ name, enforces, actionners, deny, budgets }) => ({
      policy: name,
      mode: enforces ? 'enforce' : 'monitor',
      ...(actionners.length > 0 && { actionners }),
      // A denial that is never true, where there would be nothing.
      deny: [...deny.map(celOf), 'false'].map((expression) => ({ expression, message: 'no' })),
      budgets: budgets.map(({ max, window, per }) => ({ max, window: `${window}s`, per })),
    })),
  );
}

/** From the texts, through the compiler. */
function engineOf(drawnRules: readonly Rule[], drawnPolicies: readonly OraclePolicy[]): Engine {
  const files = [{ path: 'rules.yaml', text: rulesText(drawnRules) }];
  const guards = [{ path: 'policies.yaml', text: policiesText(drawnPolicies) }];
  const { bundle, diagnostics } = compile(files, { catalog, policies: guards });
  if (!bundle) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return openRules(bundle);
}

function bodyOf({ namespace, pod, hostname, containerId, process, odd, source }: Sent, number: number): Buffer {
  const output_fields = {
    'k8s.ns.name': namespace,
    'k8s.pod.name': pod,
    'container.id': containerId,
    'proc.name': process,
    odd,
  };
  return Buffer.from(JSON.stringify({ rule: 'Shell', output: `alert ${number}`, source, hostname, output_fields }));
}

function factsOf(sent: Sent, rule: string, actionner: string, now: number): Facts {
  const pod = PODS[sent.pod] as (typeof PODS)[string];
  const known = sent.containerId === ID || sent.containerId === ID.slice(0, 12);
  const onHost = sent.hostname !== '' && (sent.hostname === pod.node || sent.hostname === `${pod.node}.example`);
  return {
    namespace: sent.namespace,
    pod: sent.pod,
    owner: pod.owner?.kind,
    label: pod.labels.tier,
    controlPlane: pod.node === 'control',
    verified: known && onHost && pod.containerIds.length > 0,
    process: sent.process,
    odd: sent.odd,
    rule,
    actionner,
    hour: new Date(now).getUTCHours(),
  };
}

/** What reaches the effect doors by the meaning of rules and guards, as told in plain TypeScript. */
class Expected {
  readonly calls: string[] = [];
  readonly stops = { denied: 0, parked: 0 };
  readonly #oracle: GuardOracle;
  readonly #rules: readonly Rule[];

  constructor(drawnRules: readonly Rule[], drawnPolicies: readonly OraclePolicy[]) {
    this.#rules = drawnRules;
    this.#oracle = new GuardOracle(drawnPolicies);
  }

  take(sent: Sent, now: number): void {
    for (const rule of this.#rules) {
      if (rule.source !== undefined && rule.source !== sent.source) continue;
      if (this.#runRule(rule, sent, now) === 'parked') return;
      if (!rule.continue) return;
    }
  }

  #runRule(rule: Rule, sent: Sent, now: number): 'parked' | undefined {
    for (const action of rule.actions) {
      const end = rule.dry_run ? 'done' : this.#runAction(factsOf(sent, rule.name, action.actionner, now), sent, now);
      if (end === 'parked') return end;
      if (!action.continue || (end === 'failed' && !action.ignore_errors)) return undefined;
    }
    return undefined;
  }

  #runAction(facts: Facts, { refused }: Sent, now: number): 'done' | 'failed' | 'parked' {
    const verdict = this.#oracle.judge(facts, now);
    if (verdict !== 'allow') {
      this.stops[verdict]++;
      return verdict === 'parked' ? verdict : 'failed';
    }
    const door = facts.actionner === 'kubernetes:label' ? 'pods.label' : 'pods.delete';
    this.calls.push(`${door} ${facts.namespace}/${facts.pod}`);
    return refused ? 'failed' : 'done';
  }
}

/** The doors of all runs; what is at them now. */
const doors = { calls: [] as string[], refuse: false };
function atDoor(door: string) {
  return async ({ namespace, name, uid }: PodTarget) => {
    doors.calls.push(`${door} ${namespace}/${name}`);
    if (uid !== undefined && uid !== `uid of ${name}`) throw new Error('another pod');
    if (doors.refuse) throw new DoorError('refused', 'no');
  };
}
const { adapters } = fakeAdapters({
  'pods.uid': async ({ name }) => `uid of ${name}`,
  'pods.label': atDoor('pods.label'),
  'pods.delete': atDoor('pods.delete'),
});
const executor = createExecutor({ adapters, scripts: pluginScripts, worker: workerStart('sandbox') });
afterAll(() => executor.end());

test('no action that a guard stops reaches a door, and every other one does', async () => {
  const seen = { allowed: 0, denied: 0, parked: 0 };
  await fc.assert(
    fc.asyncProperty(rules, policies, alerts, async (drawnRules, drawnPolicies, sent) => {
      const engine = engineOf(drawnRules, drawnPolicies);
      let now = Date.UTC(2026, 0, 1, 20);
      const budgets = new Budgets();
      const guard = createGuard({ policies: engine.guards, budgets, lookups, dryRun: false, now: () => now });
      const world = new World({}, { executor, actionners: catalog.actionners });
      const policy = { revision: engine.revision, rules: engine.rules, guard };
      const expected = new Expected(drawnRules, drawnPolicies);
      doors.calls = [];
      for (const [number, alert] of sent.entries()) {
        now += alert.wait * 1000;
        doors.refuse = alert.refused;
        const body = bodyOf(alert, number);
        const count = engine.evaluator.scan(body);
        const matched = Array.from({ length: Math.max(0, count) }, (_, at) => engine.evaluator.matched(at));
        const head = { rule: 'Shell', priority: '', source: alert.source, output: `alert ${number}`, trace_id: 't' };
        if (matched.length > 0) {
          await new Promise((resolve) => world.pipeline.admit({ head, body, policy, rules: matched }, resolve));
          await world.lanes.idle();
        }
        expected.take(alert, now);
        expect(doors.calls).toEqual(expected.calls);
      }
      const told = (kind: string) => world.told.filter((transition) => transition.kind === kind).length;
      expect({ denied: told('denied'), parked: told('parked') }).toEqual(expected.stops);
      seen.allowed += expected.calls.length;
      seen.denied += expected.stops.denied;
      seen.parked += expected.stops.parked;
    }),
    { numRuns: 150 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deleteObject } from '../../actionners/kubernetes/delete.ts';
import { label } from '../../actionners/kubernetes/label.ts';
import { terminate } from '../../actionners/kubernetes/terminate.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import type { Actionner } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';
import type { ParameterMap } from '../../model/rule.ts';
import type { NodeFacts, PodFacts, TargetLookups } from '../../model/target-facts.ts';
import { enrich } from '../enrich.ts';
import { action, rule } from '../test-pipeline.ts';
import { Budgets } from './budgets.ts';
import { createGuard, type GuardedStep, type Verdict } from './guard.ts';

const POD: PodFacts = {
  namespace: 'shop',
  name: 'cart-1',
  uid: 'uid-1',
  labels: { app: 'cart' },
  owner: { kind: 'ReplicaSet', name: 'cart' },
  node: 'node-1',
  containerIds: ['3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e'],
};
const NODE: NodeFacts = { name: 'node-1', labels: {}, hostnames: ['node-1'] };
const ALERT = { rule: 'Shell', hostname: 'node-1', output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': 'cart-1' } };

function policy(name: string, settings: Partial<GuardPolicy> & { readonly expression?: string } = {}): GuardPolicy {
  const { expression, ...rest } = settings;
  return {
    policy: name,
    description: '',
    mode: 'enforce',
    actionners: [],
    deny: expression === undefined ? [] : [{ expression, message: `no, says ${name}` }],
    budgets: [],
    ...rest,
  };
}

/** Facts that come from memory; what was asked for is remembered. */
class Lookups implements TargetLookups {
  readonly asked: string[] = [];
  readonly #fails: Partial<Record<'pod' | 'node', DoorError>>;

  constructor(fails: Partial<Record<'pod' | 'node', DoorError>> = {}) {
    this.#fails = fails;
  }

  async pod({ namespace, name }: { namespace: string; name: string }): Promise<PodFacts> {
    this.asked.push(`pod ${namespace}/${name}`);
    if (this.#fails.pod) throw this.#fails.pod;
    return { ...POD, namespace, name };
  }

  async node({ name }: { name: string }): Promise<NodeFacts> {
    this.asked.push(`node ${name}`);
    if (this.#fails.node) throw this.#fails.node;
    return NODE;
  }
}

interface Situation {
  readonly alert?: object;
  readonly actionner?: Actionner;
  readonly parameters?: ParameterMap;
  readonly dryRun?: boolean;
  readonly id?: number;
  readonly allowed?: boolean;
}

function guardedStep(given: Situation = {}): GuardedStep {
  const { alert = ALERT, actionner = terminate, parameters = null, dryRun = false, id = 1, allowed = false } = given;
  const decoded = decodeEvent(Buffer.from(JSON.stringify(alert)));
  if (!decoded.ok) throw new Error('no alert');
  const planned = action('Kill', { actionner: actionner.id, parameters });
  const head = { rule: 'Shell', priority: '', source: 'syscall', output: '', trace_id: '' };
  const step = enrich(head, decoded.event, rule('Answer', [planned], { dry_run: dryRun }), planned);
  return { step, alert: id, number: 0, actionner, signal: new AbortController().signal, allowed };
}

class World {
  readonly budgets = new Budgets();
  readonly lookups: Lookups;
  now = Date.UTC(2026, 0, 1, 12);
  readonly #policies: readonly GuardPolicy[];

  constructor(policies: readonly GuardPolicy[], fails: Partial<Record<'pod' | 'node', DoorError>> = {}) {
    this.#policies = policies;
    this.lookups = new Lookups(fails);
  }

  ask(given: Situation & { readonly dryRunAll?: boolean } = {}): Promise<Verdict> {
    const { budgets, lookups } = this;
    const dryRun = given.dryRunAll ?? false;
    return createGuard({ policies: this.#policies, budgets, lookups, dryRun, now: () => this.now })(guardedStep(given));
  }
}

const ask = (policies: readonly GuardPolicy[], given: Situation = {}) => new World(policies).ask(given);
const never = policy('Never', { expression: 'true' });

describe('a dry run comes first', () => {
  test.each([{ dryRun: true }, { dryRunAll: true }])('%j', async (given) => {
    const world = new World([
      policy('Never', { expression: '!target.verified', budgets: [{ max: 1, window: 60, per: [] }] }),
    ]);
    expect(await world.ask(given)).toEqual({ kind: 'dry_run' });
    expect(world.lookups.asked).toEqual([]);
    expect(world.budgets.size).toBe(0);
  });
});

describe('which policies apply', () => {
  test.each([
    [[], terminate, true],
    [['kubernetes:terminate'], terminate, true],
    [['kubernetes:label'], terminate, false],
    [['kubernetes:*'], label, true],
    [['aws:*'], label, false],
    [['destructive'], terminate, true],
    [['destructive'], label, false],
    [['aws:*', 'kubernetes:label'], label, true],
  ])('%j', async (actionners, actionner, applies) => {
    const verdict = await ask([policy('Never', { expression: 'true', actionners })], { actionner });
    expect(verdict.kind).toBe(applies ? 'denied' : 'allow');
  });
});

describe('all policies are looked at', () => {
  const odd = policy('Odd', { expression: '"x" in event.output_fields && event.output_fields["x"]' });
  const alert = { ...ALERT, output_fields: { ...ALERT.output_fields, x: 'neither true nor false' } };
  const watching = { ...never, policy: 'Watching', mode: 'monitor' as const };

  test('a true denial stops the action', async () => {
    expect(await ask([policy('Fine', { expression: 'false' }), never])).toEqual({
      kind: 'denied',
      policy: 'Never',
      reason: 'no, says Never',
      monitored: [],
    });
  });

  test('an expression that fails parks the plan', async () => {
    expect(await ask([odd], { alert })).toEqual({
      kind: 'parked',
      policy: 'Odd',
      reason: 'its denial 1 could not be evaluated',
      monitored: [],
    });
  });

  test('a denial beats what parks, wherever it stands', async () => {
    expect(await ask([odd, never], { alert })).toMatchObject({ kind: 'denied', policy: 'Never' });
    const both = policy('Both', { deny: [...odd.deny, { expression: 'true', message: 'the second' }] });
    expect(await ask([both], { alert })).toMatchObject({ kind: 'denied', reason: 'the second' });
  });

  test('what only watches stops nothing, and says what it would have stopped', async () => {
    const odder = { ...odd, policy: 'Odder', mode: 'monitor' as const };
    const monitored = [
      { policy: 'Watching', reason: 'no, says Never' },
      { policy: 'Odder', reason: 'its denial 1 could not be evaluated' },
    ];
    expect(await ask([watching, odder], { alert })).toEqual({ kind: 'allow', budgets: [], monitored });
    expect(await ask([watching, odder, never], { alert })).toMatchObject({
      kind: 'denied',
      policy: 'Never',
      monitored,
    });
  });

  test('a mode of another version that this one does not know stops as well', async () => {
    expect(await ask([{ ...never, mode: 'audit' as 'enforce' }])).toMatchObject({ kind: 'denied' });
  });

  test('parameters are seen by their own names', async () => {
    const patient = policy('Patient', {
      expression: 'has(action.parameters.grace_period_seconds) && action.parameters.grace_period_seconds == 0',
    });
    expect(await ask([patient], { parameters: { Grace_Period_Seconds: 0 } })).toMatchObject({ kind: 'denied' });
    expect(await ask([patient], { parameters: { grace_period_seconds: 5 } })).toMatchObject({ kind: 'allow' });
    expect(await ask([patient])).toMatchObject({ kind: 'allow' });
  });
});

describe('facts are looked up only if somebody asks for them', () => {
  test.each([
    ['target.namespace == "x"', []],
    ['has(target.owner) && target.owner.kind == "DaemonSet"', ['pod shop/cart-1']],
    ['!target.verified && false', ['pod shop/cart-1', 'node node-1']],
    ['has(target.node) && target.node.control_plane', ['pod shop/cart-1', 'node node-1']],
  ])('%s', async (expression, asked) => {
    const world = new World([
      policy('P', { expression }),
      policy('Other', { expression: '!target.verified', actionners: ['aws:*'] }),
    ]);
    const verdict = await world.ask();
    expect(world.lookups.asked).toEqual(asked);
    const pod = { kind: 'pod', namespace: 'shop', name: 'cart-1', uid: 'uid-1' };
    expect(verdict).toEqual({ kind: 'allow', ...(asked.length > 0 && { pod }), budgets: [], monitored: [] });
  });

  test('a lookup that fails is thrown, with the kind of its failure', async () => {
    const facts = policy('P', { expression: '!target.verified' });
    for (const code of ['not-found', 'unreachable', 'busy'] as const) {
      await expect(new World([facts], { pod: new DoorError(code, code) }).ask()).rejects.toMatchObject({ code });
      await expect(new World([facts], { node: new DoorError(code, code) }).ask()).rejects.toMatchObject({ code });
    }
  });

  test('unless only policies that watch need it', async () => {
    const watching = policy('Watching', { expression: '!target.verified', mode: 'monitor' });
    const owners = policy('Owners', { expression: 'has(target.owner) && target.owner.name == "cart"' });
    const fails = { node: new DoorError('unreachable', 'no answer') };
    const monitored = [{ policy: 'Watching', reason: 'what it asks about the target could not be looked up' }];
    expect(await new World([watching], fails).ask()).toEqual({ kind: 'allow', budgets: [], monitored });
    expect(await new World([watching, owners], fails).ask()).toMatchObject({
      kind: 'denied',
      policy: 'Owners',
      monitored,
    });
    await expect(new World([watching, owners], { pod: fails.node }).ask()).rejects.toThrow('no answer');
  });

  test.each(['..', 'a/b', 'Cart', '', 'x'.repeat(300)])('no pod is called %j', async (name) => {
    const world = new World([policy('P', { budgets: [{ max: 1, window: 60, per: ['target'] }] })]);
    const alert = { output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': name } };
    await expect(world.ask({ alert })).rejects.toMatchObject({ code: 'not-found' });
    expect(world.lookups.asked).toEqual([]);
  });

  test.each([
    ['pods', 'shop', '..'],
    ['pods', '', 'coredns'],
    ['configmaps', 'shop', '../../kube-system/configmaps/coredns'],
    ['configmaps', 'shop', 'a%2f..'],
    ['configmaps', 'shop/../kube-system', 'coredns'],
    ['configmaps', 'KUBE-SYSTEM', 'coredns'],
    ['configmaps', 'kube-system ', 'coredns'],
    ['configmaps', 'kube-system', ''],
    ['namespaces', '', 'kube-system/'],
    ['Namespaces', 'x', 'kube-system'],
    ['pods/../namespaces', 'x', 'kube-system'],
    ['', 'kube-system', 'coredns'],
  ])('there are no %s in %j called %j', async (resource, namespace, name) => {
    const world = new World([policy('P', { expression: 'has(target.owner) && target.namespace == "kube-system"' })]);
    const keys = { 'ka.target.resource': resource, 'ka.target.namespace': namespace, 'ka.target.name': name };
    const asked = world.ask({ alert: { output_fields: keys }, actionner: deleteObject });
    await expect(asked).rejects.toMatchObject({ code: 'not-found' });
    expect(world.lookups.asked).toEqual([]);
  });

  test('names of cluster roles have signs that pods have not', async () => {
    const keys = { 'ka.target.resource': 'clusterroles', 'ka.target.name': 'system:Node-Reader' };
    const own = policy('Own', { expression: 'target.name.startsWith("system:") && target.namespace == ""' });
    expect(await ask([own], { alert: { output_fields: keys }, actionner: deleteObject })).toMatchObject({
      kind: 'denied',
    });
  });

  test('of an audited object the alert is all that is known', async () => {
    const alert = { output_fields: { 'ka.target.resource': 'namespaces', 'ka.target.name': 'shop' } };
    const own = policy('Own', { expression: 'target.resource == "namespaces" && target.namespace == "shop"' });
    expect(await ask([own], { alert, actionner: deleteObject })).toMatchObject({ kind: 'denied' });
    const world = new World([policy('Proof', { expression: '!target.verified' })]);
    expect(await world.ask({ alert, actionner: deleteObject })).toMatchObject({ kind: 'denied' });
    expect(world.lookups.asked).toEqual([]);
  });
});

test('an operator may let go on what a guard cannot decide, not what it denies', async () => {
  const unsure = policy('Unsure', { deny: [{ expression: 'int(string(event.priority)) > 1', message: 'm' }] });
  expect(await ask([unsure])).toMatchObject({ kind: 'parked', policy: 'Unsure' });
  expect(await ask([unsure], { allowed: true })).toMatchObject({ kind: 'allow' });
  expect(await ask([unsure, never], { allowed: true })).toMatchObject({ kind: 'denied' });
});

describe('budgets', () => {
  const twice = policy('Twice', { budgets: [{ max: 2, window: 60, per: ['target'] }] });

  test('park what is over them, until the window has passed', async () => {
    const world = new World([twice]);
    const first = await world.ask({ id: 1 });
    expect(first).toMatchObject({ kind: 'allow', budgets: [expect.stringContaining('cart-1')] });
    expect(await world.ask({ id: 2 })).toEqual(first);
    expect(await world.ask({ id: 3 })).toEqual({
      kind: 'parked',
      policy: 'Twice',
      reason: 'the budget of 2 actions in 1m per target is spent',
      monitored: [],
    });
    world.now += 60_000;
    expect(await world.ask({ id: 3 })).toMatchObject({ kind: 'allow' });
  });

  test('are taken once by all tries of a step', async () => {
    const world = new World([twice]);
    const first = [expect.stringContaining('cart-1')];
    for (const budgets of [first, [], [], []]) expect(await world.ask({ id: 1 })).toMatchObject({ budgets });
    expect(await world.ask({ id: 2 })).toMatchObject({ kind: 'allow' });
    world.now += 60_000;
    expect(await world.ask({ id: 1 })).toMatchObject({ budgets: first });
  });

  test('are exceeded where an operator allows it, and count nevertheless', async () => {
    const world = new World([twice]);
    for (const id of [1, 2]) await world.ask({ id });
    expect(await world.ask({ id: 3, allowed: true })).toMatchObject({ kind: 'allow' });
    world.now += 59_000;
    expect(await world.ask({ id: 4 })).toMatchObject({ kind: 'parked' });
  });

  test('are kept by what they count by', async () => {
    const world = new World([policy('Once', { budgets: [{ max: 1, window: 3600, per: ['namespace', 'actionner'] }] })]);
    const inNamespace = (name: string, pod: string) => ({
      output_fields: { 'k8s.ns.name': name, 'k8s.pod.name': pod },
    });
    expect(await world.ask({ id: 1, alert: inNamespace('a', 'x') })).toMatchObject({ kind: 'allow' });
    expect(await world.ask({ id: 2, alert: inNamespace('a', 'y') })).toMatchObject({
      kind: 'parked',
      reason: 'the budget of 1 action in 1h per namespace and actionner is spent',
    });
    expect(await world.ask({ id: 3, alert: inNamespace('b', 'x') })).toMatchObject({ kind: 'allow' });
    expect(await world.ask({ id: 4, alert: inNamespace('a', 'x'), actionner: label })).toMatchObject({ kind: 'allow' });
  });

  test('are not taken by what another policy stops, nor by what is over another budget', async () => {
    const tight = policy('Tight', { budgets: [{ max: 1, window: 60, per: [] }] });
    const world = new World([twice, tight]);
    await world.ask({ id: 1 });
    for (const id of [2, 3, 4]) expect(await world.ask({ id })).toMatchObject({ kind: 'parked', policy: 'Tight' });
    const denying = new World([twice, never]);
    await denying.ask({ id: 1 });
    expect(denying.budgets.size).toBe(0);
  });

  test('of a policy that watches stop nothing', async () => {
    const world = new World([{ ...twice, mode: 'monitor' }]);
    await world.ask({ id: 1 });
    await world.ask({ id: 2 });
    const reason = 'the budget of 2 actions in 1m per target is spent';
    expect(await world.ask({ id: 3 })).toEqual({
      kind: 'allow',
      budgets: [],
      monitored: [{ policy: 'Twice', reason }],
    });
  });

  test('can be counted in expressions, without the step itself', async () => {
    const world = new World([policy('Counting', { expression: 'counts.target >= 2 || counts.namespace >= 3' })]);
    expect(await world.ask({ id: 1 })).toMatchObject({
      kind: 'allow',
      budgets: [expect.any(String), expect.any(String)],
    });
    expect(await world.ask({ id: 2 })).toMatchObject({ kind: 'allow' });
    expect(await world.ask({ id: 2 })).toMatchObject({ kind: 'allow' });
    expect(await world.ask({ id: 3 })).toMatchObject({ kind: 'denied' });
    world.now += 3_600_000;
    expect(await world.ask({ id: 3 })).toMatchObject({ kind: 'allow' });
  });

  test('have keys of bounded length', async () => {
    const alert = {
      output_fields: { 'ka.target.resource': 'pods', 'ka.target.name': 'x'.repeat(5000), 'ka.target.namespace': 'a' },
    };
    const verdict = await new World([twice]).ask({ alert, actionner: deleteObject });
    expect(verdict).toMatchObject({ kind: 'allow', budgets: [expect.stringMatching(/^.{1,512}$/)] });
  });
});

test('an expression of another version that this one refuses parks what it is for', async () => {
  const old = policy('Old', { expression: 'target.colour == "red"', actionners: ['destructive'] });
  expect(await ask([old])).toMatchObject({ kind: 'parked', reason: 'its denial 1 could not be evaluated' });
  expect(await ask([old], { actionner: label })).toMatchObject({ kind: 'allow' });
  expect(await ask([old, never])).toMatchObject({ kind: 'denied', policy: 'Never' });
});

test('nothing of the alert gets into what is said about it', async () => {
  const policies = [
    policy('Odd', { expression: '"x" in event.output_fields && event.output_fields["x"]' }),
    policy('Output', { expression: 'event.output.contains("secret")' }),
    policy('Watching', { mode: 'monitor', expression: '"x" in event.output_fields && event.output_fields["x"] > 1' }),
    policy('Budget', { budgets: [{ max: 1, window: 60, per: ['target'] }] }),
  ];
  const world = new World(policies);
  const said = new Set<string>();
  let id = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.string(),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      async (text, x) => {
        const output = text.startsWith('a') ? `secret ${text}` : text;
        const alert = { ...ALERT, rule: text, output, output_fields: { ...ALERT.output_fields, x } };
        const verdict = await world.ask({ alert, id: id++ });
        if (verdict.kind === 'dry_run') return;
        const own = verdict.kind === 'allow' ? [] : [verdict];
        for (const { reason } of [...own, ...verdict.monitored]) said.add(reason);
      },
    ),
  );
  const fixed = ['its denial 1 could not be evaluated', 'the budget of 1 action in 1m per target is spent'];
  expect([...said].filter((reason) => !fixed.includes(reason) && !reason.startsWith('no, says '))).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import type { Door } from '../../model/capability.ts';
import type { GivenArguments } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { NodeTarget, PodTarget, Target, TargetKind, TargetKinds } from '../../model/targets.ts';
import { beginStep } from './broker.ts';
import { fakeAdapters, memoryRecord, SPOOLED } from './executor-fixture.ts';

const POD: PodTarget = { kind: 'pod', name: 'web', namespace: 'shop' };
const NODE: NodeTarget = { kind: 'node', name: 'node-1' };

/** A step with a pod (reference 0) and a node (reference 1), and the doors that were opened in it. */
function newStep() {
  const { adapters, calls } = fakeAdapters();
  const { record, lines } = memoryRecord();
  const { signal } = new AbortController();
  const step = beginStep({ uses: ['pods.label', 'nodes.label'], adapters, record, signal });
  const opened = () => calls.map(([door]) => door);
  return { step, opened, lines, pod: step.mint(POD), node: step.mint(NODE) };
}

describe('a door stays shut', () => {
  const pod = { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' };
  const node = { kind: 'node', ref: 1, name: 'node-1' };

  it.each<[string, string, unknown]>([
    ['that is not listed', 'pods.delete', [pod, 0]],
    ['that does not exist', 'pods.exec', [pod]],
    ['with a name that all objects know', 'constructor', [pod]],
    ['with a very long name', 'x'.repeat(100_000), [pod]],
    ['for a pod in place of a node', 'nodes.label', [pod, {}]],
    ['for a pod that calls itself a node', 'nodes.label', [{ ...pod, kind: 'node' }, {}]],
    ['for a node in place of a pod', 'pods.label', [node, {}]],
    ['for a number that was never given out', 'pods.label', [{ ...pod, ref: 2 }, {}]],
    ['for a negative number', 'pods.label', [{ ...pod, ref: -1 }, {}]],
    ['for a number that is a text', 'pods.label', [{ ...pod, ref: '0' }, {}]],
    ['for a name alone', 'pods.label', [{ kind: 'pod', name: 'web', namespace: 'shop' }, {}]],
    ['for null', 'pods.label', [null, {}]],
    ['for nothing', 'pods.label', []],
    ['for no list', 'pods.label', { 0: pod, 1: {}, length: 2 }],
    ['for a text', 'pods.label', 'pod'],
    ['for labels that are none', 'pods.label', [pod, 'a=b']],
    ['for a label that is no text', 'pods.label', [pod, { a: 1 }]],
  ])('%s', async (_, door, given) => {
    const { step, opened, lines } = newStep();
    const refusal = await step.call(door, given).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'DoorError', code: 'door' });
    expect(String(refusal).length).toBeLessThan(200);
    expect(opened()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('for a reference of another step', async () => {
    const other = newStep();
    other.step.mint(POD);
    const foreign = other.step.mint({ kind: 'pod', name: 'etcd', namespace: 'kube-system' });
    const { step, opened } = newStep();
    await expect(step.call('pods.label', [foreign, {}])).rejects.toThrow('no reference to a pod of this step');
    expect(opened()).toEqual([]);
  });
});

/** One target of each kind. */
const EACH: { readonly [K in TargetKind]: TargetKinds[K] } = {
  pod: POD,
  node: NODE,
  container: { kind: 'container', name: 'main', pod: POD },
  workload: { kind: 'workload', name: 'web', namespace: 'shop', labels: { app: 'web' } },
  object: { kind: 'object', resource: 'secrets', name: 'web', namespace: 'shop' },
  subject: { kind: 'subject', of: 'Pod', name: 'web', namespace: 'shop' },
  function: { kind: 'function', name: 'web', location: '', payload: '{}' },
  store: { kind: 'store', category: 'local', name: '/web', prefix: '', region: '' },
  endpoint: { kind: 'endpoint', name: 'web', url: 'http://web/secret', headers: { a: 'secret' } },
  mailbox: {
    ...{ kind: 'mailbox', name: 'web', server: 'web:25', from: 'a@b', to: ['c@d'], user: 'u', password: 'secret' },
    ...{ security: 'none', allowPlainLogin: true },
  },
  artifact: SPOOLED,
};

/** The references that a door takes, by their place. */
function takenBy(door: Door): readonly TargetKind[] {
  const kinds: TargetKind[] = [];
  const nothing = () => ({}) as never;
  const target = ((position: number, kind: TargetKind) => {
    kinds[position] = kind;
  }) as unknown as GivenArguments['target'];
  const others = { integer: nothing, text: nothing, flag: nothing, texts: nothing, labels: nothing, value: nothing };
  DOORS[door].decode({ target, ...others });
  return kinds;
}

const places = (Object.keys(DOORS) as Door[]).flatMap((door) =>
  takenBy(door).map((kind, position) => ({ door, kind, position })),
);

it('all kinds of references are taken by some door', () => {
  expect(new Set(places.map(({ kind }) => kind))).toEqual(new Set(Object.keys(EACH)));
});

it.each(places)('$door takes at $position a $kind of its step, and nothing else', async ({ door, kind, position }) => {
  const { adapters, calls } = fakeAdapters();
  const { record, lines } = memoryRecord();
  const { signal } = new AbortController();
  const step = beginStep({ uses: [door], adapters, record, signal });
  const refs = new Map(
    Object.entries(EACH).map(([each, target]) => [each, (step.mint as (t: Target) => object)(target)]),
  );
  const right = takenBy(door).map((each) => refs.get(each));
  const others = [...refs].filter(([each]) => each !== kind).map(([, ref]) => ref);
  const forged = [
    ...others,
    // What it says itself changes nothing, nor does a target in the place of its reference.
    ...others.map((ref) => ({ ...ref, ...EACH[kind], kind })),
    EACH[kind],
    ...[-1, 11, 0.5, '0', null, [0], 'length', '__proto__', { valueOf: () => 0 }].map((ref) => ({
      ...refs.get(kind),
      ref,
    })),
    ...[null, undefined, 0, 'pod', [], [right[position]]],
  ];
  for (const wrong of forged) {
    const refusal = await step.call(door, right.with(position, wrong as object)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'door', message: `no reference to a ${kind} of this step` });
  }
  expect(calls.filter(([opened]) => !String(opened).endsWith('.uid'))).toEqual([]);
  expect(lines).toEqual([]);
});

it('shows of its targets what plug-ins need, and nothing of what is secret', () => {
  const { step } = newStep();
  const shown = Object.values(EACH).map((target) => {
    const { kind, ref: _, name: __, ...more } = (step.mint as (t: Target) => Record<string, unknown>)(target);
    return [kind, Object.keys(more)];
  });
  expect(Object.fromEntries(shown)).toEqual({
    ...{ pod: ['namespace'], node: [], container: [], workload: ['namespace'], object: ['resource', 'namespace'] },
    ...{ subject: ['namespace'], function: [], store: ['prefix', 'region'], endpoint: [], mailbox: [] },
    artifact: ['size', 'sha256', 'mediaType'],
  });
});

it('opens a listed door for a reference of its step', async () => {
  const { step, opened, pod, node } = newStep();
  await step.call('pods.label', [pod, { a: 'b' }]);
  await step.call('nodes.label', [node, { a: null }]);
  expect(opened()).toEqual(['pods.label', 'nodes.label']);
});

it('makes no effect for a step that ended while its begin was recorded, and says that it was not made', async () => {
  const { adapters, calls } = fakeAdapters();
  const over = new AbortController();
  const failures: unknown[] = [];
  const record = {
    ...memoryRecord().record,
    begins: async () => {
      over.abort();
      return false;
    },
    fails: async (_call: string, _door: string, error: unknown) => void failures.push(error),
  };
  const step = beginStep({ uses: ['pods.label'], adapters, record, signal: over.signal });
  await expect(step.call('pods.label', [step.mint(POD), {}])).rejects.toThrow('over before');
  expect(calls).toEqual([]);
  expect(failures).toMatchObject([{ name: 'DoorError', code: 'refused' }]);
});

it('makes anew in each try what is gone at the end of one', async () => {
  const container = { kind: 'container', name: 'sysdig', pod: POD } as const;
  let made = 0;
  const { adapters } = fakeAdapters({ 'captures.onNode': async () => ({ container, job: `job-${++made}` }) });
  const { record, lines } = memoryRecord();
  const { signal } = new AbortController();
  for (const job of ['job-1', 'job-2']) {
    const step = beginStep({ uses: ['captures.onNode'], adapters, record, signal });
    const answer = await step.call('captures.onNode', [step.mint(POD), 'sysdig:1', 60]);
    expect(answer).toEqual({ container: { kind: 'container', ref: 1, name: 'sysdig' }, job });
  }
  expect(lines).toEqual([]);
});

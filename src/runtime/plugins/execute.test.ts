import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { buildPluginScript } from '../../../tools/generate/plugin-scripts.ts';
import { label } from '../../actionners/kubernetes/label.ts';
import { workerStart } from '../../cli/worker-file.ts';
import type { Door } from '../../model/capability.ts';
import type { Actionner } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import { fieldText } from '../../model/event-fields.ts';
import { shown } from '../../model/kube-names.ts';
import type { PodTarget } from '../../model/targets.ts';
import * as plugins from '../sandbox/honest-plugins.ts';
import { createExecutor, type Executor, type ExecutorOptions } from './execute.ts';
import { alertOf, alertWith, fakeAdapters, memoryRecord } from './executor-fixture.ts';
import type { StepRecord } from './step-record.ts';

const { DONE } = plugins;
const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });
const POD: PodTarget = { kind: 'pod', namespace: 'shop', name: 'web' };
const actionners = Object.entries(plugins).filter(([, value]) => typeof value === 'object' && 'behaviour' in value);
const scripts = new Map(
  await Promise.all(
    actionners.map(
      async ([name]) =>
        [`test:${name}`, await buildPluginScript('src/runtime/sandbox/honest-plugins.ts', name)] as const,
    ),
  ),
);

/** What the adapters of the one executor, which most tests use, are at the moment. */
let current: Pick<ExecutorOptions, 'adapters' | 'discard'> = fakeAdapters();
const delegating = Object.keys(DOORS).map((door) => [
  door,
  (...given: never[]) => (current.adapters[door as Door] as (...given: never[]) => unknown)(...given),
]);
const executors: Executor[] = [];
const shared = newExecutor({
  adapters: Object.fromEntries(delegating) as Adapters,
  discard: (handle) => current.discard?.(handle),
});
afterAll(() => Promise.all(executors.map((executor) => executor.end())));

/** Unless a test is about its times, it has so much that a busy machine makes no difference. */
function newExecutor(options: Partial<ExecutorOptions>): Executor {
  const { adapters } = fakeAdapters();
  const patience = { times: { turn: 10_000, shortTurn: 10_000 }, heartbeat: { silence: 20_000 }, allTurns: 30_000 };
  const executor = createExecutor({ adapters, scripts, worker: workerStart('sandbox'), ...patience, ...options });
  executors.push(executor);
  return executor;
}

interface Running {
  readonly executor?: Executor;
  readonly adapters?: Adapters;
  readonly discard?: (handle: string) => void;
  readonly parameters?: object | null;
  readonly alert?: typeof event;
  readonly pod?: PodTarget;
  readonly record?: StepRecord;
  readonly milliseconds?: number;
  readonly signal?: AbortSignal;
}

function run(actionner: Actionner, running: Running = {}) {
  const { executor = shared, parameters = null, alert = event, pod, milliseconds = 30_000 } = running;
  current = { adapters: fakeAdapters().adapters, ...running };
  const { record = memoryRecord().record, signal = new AbortController().signal } = running;
  return executor.run({ actionner, parameters, event: alert, pod, record, milliseconds }, signal);
}

describe('a step', () => {
  it('gives the code the alert, decoded parameters, the pod, and no door but those that it lists', async () => {
    const alert = alertOf(`{"rule":"R <x>","time":"2024-03-01T10:20:30Z","tags":["a",{"b":[1.50]}],"output_fields":
      {"k8s.pod.name":"web","k8s.ns.name":"shop","evt.time":1700000000123456789,"__proto__":"p","deep":{"z":1,"a":[]}}}`);
    const outcome = await run(plugins.shows, { parameters: { LINES: 5.5 }, alert });
    const shown = JSON.parse(outcome.status === 'success' ? outcome.output : '');
    const { output_fields, ...event } = shown.event;
    expect(event).toMatchObject({ rule: 'R <x>', time: '2024-03-01T10:20:30Z', priority: '', source: 'syscall' });
    expect(new Map(output_fields)).toEqual(
      new Map([...(alert.output_fields ?? [])].map(([key]) => [key, fieldText(alert, key) ?? null])),
    );
    expect(shown).toMatchObject({
      parameters: { lines: 5, text: '' },
      targets: { pod: { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' } },
      doors: ['pods.owner'],
    });
  });

  it('does not mind a large alert that the code does not look at', async () => {
    const fields = { 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop', much: 'x'.repeat(10 << 20) };
    const script = await buildPluginScript('src/actionners/kubernetes/label.ts', 'label');
    const executor = newExecutor({ scripts: new Map([[label.id, script]]) });
    const outcome = await run(label, { executor, alert: alertWith(fields), parameters: { labels: { a: 'b' } } });
    expect(outcome).toMatchObject({ status: 'success' });
  });

  it('gives the code an alert that nests deeply', async () => {
    const deep = `${'['.repeat(9_000)}${']'.repeat(9_000)}`;
    const fields = `{"k8s.pod.name":"web","k8s.ns.name":"shop","deep":${deep}}`;
    const outcome = await run(plugins.looksAtField, { alert: alertOf(`{"output_fields":${fields}}`) });
    expect(outcome).toMatchObject({ output: '"web"' });
  });

  it('hands adapters what references stand for, and code a reference for what they found', async () => {
    const { adapters, calls } = fakeAdapters();
    const output = '{"kind":"node","ref":1,"name":"node-1"}';
    expect(await run(plugins.labelsNode, { adapters })).toEqual({ ...DONE, output });
    expect(calls).toEqual([
      ['nodes.ofPod', POD],
      ['nodes.label', { kind: 'node', name: 'node-1' }, { a: 'b' }],
    ]);
  });

  it('acts on the pod that was looked up before, in place of the one that the alert names', async () => {
    const { adapters, calls } = fakeAdapters();
    const pod = { ...POD, uid: 'u-1' };
    expect(await run(plugins.labelsPod, { adapters, pod })).toEqual(DONE);
    expect(calls).toEqual([['pods.label', pod, { a: 'b' }]]);
  });

  it('gives every door of a step the same target, so that lookups can be shared', async () => {
    const seen = new Set<unknown>();
    const { adapters } = fakeAdapters({
      'pods.owner': async (pod) => {
        seen.add(pod);
        return null;
      },
      'pods.uid': async (pod) => {
        seen.add(pod);
        return 'u-1';
      },
    });
    expect(await run(plugins.asksTwice, { adapters })).toEqual(DONE);
    expect(seen.size).toBe(1);
  });

  it('has some calls open at once and lets the others wait', async () => {
    let open = 0;
    let most = 0;
    const { adapters } = fakeAdapters({
      'pods.owner': async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 2));
        open--;
        return null;
      },
    });
    expect(await run(plugins.manyAtOnce, { adapters, parameters: { lines: 200 } })).toMatchObject({ output: '200' });
    expect(most).toBe(16);
  });

  it('can be run again and is the same: its clock stands and its numbers are drawn alike', async () => {
    const alert = { ...event, time: '2024-03-01T10:20:30.123456789Z' };
    const outcome = await run(plugins.looksAround, { alert });
    const output = JSON.parse(outcome.status === 'success' ? outcome.output : '');
    const time = '2024-03-01T10:20:30.123Z';
    expect(output).toMatchObject({ times: [time, Date.parse(time), 5, 'Fri Mar 01 2024'], isDate: true, again: true });
    expect(output.names).toEqual(['__deliver']);
    expect(await run(plugins.looksAround, { alert })).toEqual(outcome);
    const other = await run(plugins.looksAround, { alert: { ...alert, rule: 'another' } });
    expect(other).not.toEqual(outcome);
  });
});

describe('the record of a step', () => {
  it('hears of effects before and after they are made, and not of other doors', async () => {
    const { record, lines } = memoryRecord();
    await run(plugins.labelsNode, { record });
    expect(lines).toEqual(['begins nodes.label', 'answers nodes.label']);
  });

  it('keeps an effect from being made again', async () => {
    const first = memoryRecord();
    await run(plugins.labelsPod, { record: first.record });
    const { adapters, calls } = fakeAdapters();
    const second = memoryRecord(first.answered);
    expect(await run(plugins.labelsPod, { adapters, record: second.record })).toEqual(DONE);
    expect(calls).toEqual([]);
    expect(second.lines).toEqual([]);
  });

  it('hears of effects that failed', async () => {
    const { record, lines } = memoryRecord();
    const { adapters } = fakeAdapters({ 'pods.label': () => Promise.reject(new DoorError('busy', 'later')) });
    expect(await run(plugins.labelsPod, { adapters, record })).toMatchObject({ code: 'busy' });
    expect(lines).toEqual(['begins pods.label', 'fails pods.label']);
  });

  it('ends the step when it cannot be written', async () => {
    const { record } = memoryRecord();
    const { adapters, calls } = fakeAdapters();
    const closed = { ...record, begins: () => Promise.reject(new Error('the journal is closed')) };
    const outcome = await run(plugins.labelsPod, { adapters, record: closed });
    expect(outcome).toMatchObject({ code: 'bug', error: 'the actionner failed: the journal is closed' });
    expect(calls).toEqual([]);
  });
});

describe('an outcome', () => {
  it.each([
    ['not-found', {}],
    ['refused', { pod: 'web', namespace: 'shop' }],
    ['unreachable', { pod: 'web', namespace: 'shop' }],
  ] as const)('of code %s names what the failed door was for, if that exists', async (code, objects) => {
    const { adapters } = fakeAdapters({ 'pods.label': () => Promise.reject(new DoorError(code, 'the reason')) });
    const outcome = await run(plugins.labelsPod, { adapters });
    expect(outcome).toEqual({ status: 'failure', code, error: 'the reason', objects });
  });

  it('says when the other side wants to be asked again', async () => {
    const error = new DoorError('busy', 'the reason', { retryAfterMs: 1500 });
    const { adapters } = fakeAdapters({ 'pods.label': () => Promise.reject(error) });
    expect(await run(plugins.labelsPod, { adapters })).toMatchObject({ code: 'busy', retryAfterMs: 1500 });
  });

  it.each([
    ['too long', 'x'.repeat(1 << 20)],
    ['no data', 1n],
  ])('of a door whose answer is %s is a failure', async (_, name) => {
    const { adapters } = fakeAdapters({ 'nodes.ofPod': async () => ({ kind: 'node', name: name as string }) });
    expect(await run(plugins.labelsNode, { adapters })).toMatchObject({ status: 'failure', code: 'bug' });
  });

  it('of a plug-in that goes on after a failed door is its own', async () => {
    const { adapters } = fakeAdapters({ 'pods.label': () => Promise.reject(new DoorError('refused', 'no')) });
    expect(await run(plugins.goesOnAfterError, { adapters })).toEqual({ ...DONE, output: '"refused: no"' });
  });

  it('of a plug-in that throws is a failure without a stack trace', async () => {
    const error = 'the actionner failed: oops';
    expect(await run(plugins.throwsTypeError)).toEqual({ status: 'failure', code: 'bug', error, objects: {} });
  });

  it('of a plug-in that refuses says so, and nothing that would be tried again without end', async () => {
    expect(await run(plugins.refuses, {})).toMatchObject({
      code: 'refused',
      error: 'not with me',
      objects: { pod: 'web' },
    });
    expect(await run(plugins.claimsUnreachable, {})).toMatchObject({ code: 'bug' });
  });

  it('says what is missing, and runs nothing', async () => {
    const { adapters, calls } = fakeAdapters();
    const alert = alertWith({ 'k8s.pod.name': 'web' });
    expect(shared.missing(plugins.labelsPod, alert)).toBe('missing namespace');
    expect(shared.missing(plugins.labelsPod, event)).toBeUndefined();
    const outcome = await run(plugins.labelsPod, { adapters, alert });
    expect(outcome).toEqual({ status: 'failure', code: 'missing-field', error: 'missing namespace', objects: {} });
    expect(calls).toEqual([]);
  });

  it('names parameters that do not fit', async () => {
    expect(await run(plugins.labelsPod, { parameters: { lines: 'x' } })).toMatchObject({
      code: 'refused',
      error: "parameter 'lines' must be a number, got a string",
    });
  });

  it('of an actionner without a script is a failure', async () => {
    expect(await run(plugins.labelsPod, { executor: newExecutor({ scripts: new Map() }) })).toMatchObject({
      status: 'failure',
      error: "'test:labelsPod' can't act yet",
    });
  });

  // Each of these would be the path of something else.
  it.each([
    ['..', 'shop'],
    ['web', '..'],
    ['web/exec', 'shop'],
    ['Web', 'shop'],
    ['web?x=y', 'shop'],
    ['web', 'shop%2F..'],
    ['web', 'a.b'],
    ['x'.repeat(254), 'shop'],
    ['web\n', 'shop'],
  ])('for a name that no pod can have says that there is none: %j in %j', async (name, namespace) => {
    const { adapters, calls } = fakeAdapters();
    const alert = alertWith({ 'k8s.pod.name': name, 'k8s.ns.name': namespace });
    expect(await run(plugins.labelsPod, { adapters, alert })).toEqual({
      status: 'failure',
      code: 'not-found',
      error: `the pod '${shown(name)}' in the namespace '${namespace}' doesn't exist`,
      objects: {},
    });
    expect(calls).toEqual([]);
  });
});

describe('artifacts', () => {
  const file = {
    kind: 'artifact',
    handle: 'h1',
    name: 'capture.pcap',
    size: 7,
    sha256: 'ab',
    mediaType: 'x/y',
  } as const;
  const otherFile = { ...file, handle: 'h2' };

  /** The door stands for one that makes artifacts. */
  const making = (...made: readonly object[]) => {
    const left = [...made];
    return fakeAdapters({ 'nodes.ofPod': async () => left.shift() as never }).adapters;
  };

  it('come out as what their reference stands for, and those that are not handed on are discarded', async () => {
    const discard = vi.fn();
    const { kind: _, ...artifact } = file;
    const outcome = await run(plugins.handsOn, { adapters: making(file, otherFile), discard });
    expect(outcome).toEqual({ ...DONE, artifact });
    expect(discard.mock.calls).toEqual([['h2']]);
  });

  it('are no other references', async () => {
    const discard = vi.fn();
    const node = { kind: 'node', name: 'node-1' };
    expect(await run(plugins.handsOn, { adapters: making(node, file), discard })).toMatchObject({ code: 'door' });
    expect(discard.mock.calls).toEqual([['h1']]);
  });
});

describe('giving up', () => {
  const hanging = () => {
    const given: AbortSignal[] = [];
    let began = () => {};
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const hang: Adapters['pods.label'] = (_pod, _labels, signal) => {
      given.push(signal);
      began();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('too late'))));
    };
    return { given, begun, adapters: fakeAdapters({ 'pods.label': hang }).adapters };
  };

  it('ends a step at once, and its doors with it', async () => {
    const { given, adapters } = hanging();
    const controller = new AbortController();
    const outcome = run(plugins.labelsPod, { adapters, signal: controller.signal });
    await expect.poll(() => given).toHaveLength(1);
    controller.abort(new Error('the server is stopped'));
    expect(await outcome).toMatchObject({
      status: 'failure',
      code: 'unreachable',
      error: 'given up before it was done: the server is stopped',
    });
    expect(given[0]?.aborted).toBe(true);
  });

  it('ends a step at its deadline, whatever it is doing', async () => {
    const { given, begun, adapters } = hanging();
    await shared.ready();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const outcome = run(plugins.labelsPod, { adapters, milliseconds: 50 });
    // Not polled for: a poll moves the clock.
    await begun;
    vi.advanceTimersByTime(49);
    expect(given[0]?.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await outcome).toEqual({ status: 'failure', code: 'deadline', error: 'no end within 0.05 s', objects: {} });
    expect(given[0]?.aborted).toBe(true);
  });

  it('ends a step that sleeps, and sleeps end with their step', async () => {
    expect(await run(plugins.sleeps, { parameters: { lines: 5 } })).toEqual(DONE);
    const outcome = await run(plugins.sleeps, { parameters: { lines: 60_000 }, milliseconds: 300 });
    expect(outcome).toMatchObject({ code: 'deadline' });
  });

  it('before the start opens no door', async () => {
    const { adapters, calls } = fakeAdapters();
    const signal = AbortSignal.abort(new Error('the end'));
    expect(await run(plugins.labelsPod, { adapters, signal })).toMatchObject({ code: 'unreachable' });
    expect(calls).toEqual([]);
  });

  it('ends with the step what a forgotten call still waits for', async () => {
    const { given, adapters } = hanging();
    expect(await run(plugins.forgetsCall, { adapters })).toEqual(DONE);
    await expect.poll(() => given[0]?.aborted).toBe(true);
  });

  it('ends a step that has used up the time of all its turns', async () => {
    const outcome = await run(plugins.worksOften, { executor: newExecutor({ allTurns: 100 }) });
    expect(outcome).toMatchObject({ code: 'limit', error: expect.stringContaining('in all') });
  });
});

it('says when the sandbox cannot be started', async () => {
  const executor = newExecutor({ worker: { script: 'throw new Error("no such thread")', eval: true } });
  await expect(executor.ready()).rejects.toThrow('the sandbox for actionners did not start: no such thread');
  expect(await run(plugins.idle, { executor, milliseconds: 50 })).toMatchObject({ code: 'deadline' });
});

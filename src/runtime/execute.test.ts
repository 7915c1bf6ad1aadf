import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import type { Door } from '../model/capability.ts';
import { decodeEvent } from '../model/decode-event.ts';
import { type Actionner, defineActionner, podOf, type RunArguments } from '../model/definition.ts';
import { DoorError } from '../model/door-error.ts';
import type { Adapters } from '../model/doors.ts';
import { FIELD_KEYS } from '../model/event-fields.ts';
import type { ActionResult } from '../model/outcome.ts';
import { integer } from '../model/parameters.ts';
import { createExecutor } from './execute.ts';

const DONE: ActionResult = { status: 'success', output: 'done', objects: {} };

function eventWith(fields: object) {
  const decoded = decodeEvent(Buffer.from(JSON.stringify({ output_fields: fields })));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}
const event = eventWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });

/** Adapters that note their calls; single ones can be replaced. */
function fakeAdapters(replaced: Partial<Adapters> = {}) {
  const calls: unknown[][] = [];
  const note =
    (door: Door, answer: unknown = undefined) =>
    async (...given: unknown[]) => {
      calls.push([door, ...given.slice(0, -1)]);
      return answer as never;
    };
  const adapters: Adapters = {
    'pods.label': note('pods.label'),
    'pods.delete': note('pods.delete'),
    'pods.owner': note('pods.owner', { kind: 'DaemonSet', name: 'agent' }),
    'pods.replicas': note('pods.replicas', { wanted: 1, ready: 1 }),
    'nodes.ofPod': note('nodes.ofPod', { kind: 'node', name: 'node-1' }),
    'nodes.label': note('nodes.label'),
    ...replaced,
  };
  return { calls, adapters };
}

type Run = (given: RunArguments<{ lines: number }, Door>) => Promise<ActionResult>;

/** An actionner that lists some doors but gets a free hand, as bad code would take it. */
function actionnerOf(run: Run, uses: readonly Door[] = ['pods.label']): Actionner {
  return defineActionner({
    id: 'test:it',
    description: 'for tests',
    sources: [],
    continue: true,
    usesContext: false,
    artifact: 'none',
    requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
    parameters: z.object({ lines: integer('lines', { min: 0 }) }),
    example: '',
    behaviour: { idempotent: true, uses, deadline: 60, writes: () => ['pod'], run },
  });
}

async function runWith(run: Run, { adapters = fakeAdapters().adapters, uses, signal }: Options = {}) {
  const executor = createExecutor(adapters);
  return executor.run(actionnerOf(run, uses), null, event, signal ?? new AbortController().signal);
}
interface Options {
  readonly adapters?: Adapters;
  readonly uses?: readonly Door[];
  readonly signal?: AbortSignal;
}

describe('a step', () => {
  it('gives the code the event, decoded parameters and the pod', async () => {
    const run = vi.fn<Run>(async () => DONE);
    const signal = new AbortController().signal;
    const outcome = await createExecutor(fakeAdapters().adapters).run(actionnerOf(run), { LINES: 5.5 }, event, signal);
    expect(outcome).toEqual(DONE);
    expect(run).toHaveBeenCalledWith(
      expect.objectContaining({
        event,
        parameters: { lines: 5 },
        targets: { pod: { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' } },
      }),
    );
  });

  it('hands adapters what references stand for, and code a reference for what they found', async () => {
    const { adapters, calls } = fakeAdapters();
    const run: Run = async ({ targets, use }) => {
      const node = await use['nodes.ofPod'](podOf(targets));
      expect(node).toEqual({ kind: 'node', ref: 1, name: 'node-1' });
      await use['nodes.label'](node, { a: 'b' });
      return DONE;
    };
    expect(await runWith(run, { adapters, uses: ['nodes.ofPod', 'nodes.label'] })).toEqual(DONE);
    expect(calls).toEqual([
      ['nodes.ofPod', { kind: 'pod', name: 'web', namespace: 'shop' }],
      ['nodes.label', { kind: 'node', name: 'node-1' }, { a: 'b' }],
    ]);
  });

  it('goes by the number of a reference, whatever name stands beside it', async () => {
    const { adapters, calls } = fakeAdapters();
    const run: Run = async ({ targets, use }) => {
      await use['pods.label']({ ...podOf(targets), name: 'etcd', namespace: 'kube-system' }, { a: 'b' });
      return DONE;
    };
    await runWith(run, { adapters });
    expect(calls).toEqual([['pods.label', { kind: 'pod', name: 'web', namespace: 'shop' }, { a: 'b' }]]);
  });

  it('gives every door of a step the same target, so that lookups can be shared', async () => {
    const seen = new Set<unknown>();
    const { adapters } = fakeAdapters({
      'pods.owner': async (pod) => {
        seen.add(pod);
        return null;
      },
      'pods.delete': async (pod) => {
        seen.add(pod);
      },
    });
    const run: Run = async ({ targets, use }) => {
      await use['pods.owner'](podOf(targets));
      await use['pods.delete'](podOf(targets), 0);
      return DONE;
    };
    await runWith(run, { adapters, uses: ['pods.owner', 'pods.delete'] });
    expect(seen.size).toBe(1);
  });
});

it('gives the code no door but those that it lists', async () => {
  const run: Run = async ({ use }) => {
    expect(Object.keys(use)).toEqual(['pods.owner']);
    return DONE;
  };
  expect(await runWith(run, { uses: ['pods.owner'] })).toEqual(DONE);
});

describe('an outcome', () => {
  it.each([
    ['not-found', {}],
    ['refused', { pod: 'web', namespace: 'shop' }],
    ['unreachable', { pod: 'web', namespace: 'shop' }],
  ] as const)('of code %s names what the failed door was for, if that exists', async (code, objects) => {
    const fail = async () => {
      throw new DoorError(code, 'the reason');
    };
    const run: Run = async ({ targets, use }) => {
      await use['pods.label'](podOf(targets), { a: 'b' });
      return DONE;
    };
    const outcome = await runWith(run, { adapters: fakeAdapters({ 'pods.label': fail }).adapters });
    expect(outcome).toEqual({ status: 'failure', code, error: 'the reason', objects });
  });

  it('of a plug-in that throws is a failure without a stack trace', async () => {
    const run: Run = async () => {
      throw new TypeError('oops');
    };
    expect(await runWith(run)).toEqual({
      status: 'failure',
      code: 'bug',
      error: 'the actionner failed: oops',
      objects: {},
    });
  });

  it('says what is missing, and runs nothing', async () => {
    const run = vi.fn<Run>(async () => DONE);
    const executor = createExecutor(fakeAdapters().adapters);
    const alert = eventWith({ 'k8s.pod.name': 'web' });
    expect(executor.missing(actionnerOf(run), alert)).toBe('missing namespace');
    expect(executor.missing(actionnerOf(run), event)).toBeUndefined();
    const outcome = await executor.run(actionnerOf(run), null, alert, new AbortController().signal);
    expect(outcome).toEqual({ status: 'failure', code: 'missing-field', error: 'missing namespace', objects: {} });
    expect(run).not.toHaveBeenCalled();
  });

  it('names parameters that do not fit', async () => {
    const executor = createExecutor(fakeAdapters().adapters);
    const actionner = actionnerOf(async () => DONE);
    const outcome = await executor.run(actionner, { lines: 'x' }, event, new AbortController().signal);
    expect(outcome).toMatchObject({
      code: 'refused',
      error: "parameter 'lines' must be a number, got a string",
    });
  });

  it('of an actionner without behaviour is a failure', async () => {
    const executor = createExecutor(fakeAdapters().adapters);
    const { behaviour: _, ...declared } = actionnerOf(async () => DONE);
    const outcome = await executor.run(declared, null, event, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'failure', error: "the actionner 'test:it' can't act yet" });
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
    const executor = createExecutor(adapters);
    const run: Run = async ({ targets, use }) => {
      await use['pods.label'](podOf(targets), { a: 'b' });
      return DONE;
    };
    const alert = eventWith({ 'k8s.pod.name': name, 'k8s.ns.name': namespace });
    expect(await executor.run(actionnerOf(run), null, alert, new AbortController().signal)).toEqual({
      status: 'failure',
      code: 'not-found',
      error: `the pod '${name}' in the namespace '${namespace}' doesn't exist`,
      objects: {},
    });
    expect(calls).toEqual([]);
  });
});

describe('giving up', () => {
  it('ends a step at once, and its doors with it', async () => {
    const given: AbortSignal[] = [];
    const hang: Adapters['pods.label'] = (_pod, _labels, signal) => {
      given.push(signal);
      return new Promise(() => {});
    };
    const run: Run = async ({ targets, use }) => {
      await use['pods.label'](podOf(targets), { a: 'b' });
      return DONE;
    };
    const controller = new AbortController();
    const outcome = runWith(run, {
      adapters: fakeAdapters({ 'pods.label': hang }).adapters,
      signal: controller.signal,
    });
    await vi.waitFor(() => expect(given).toHaveLength(1));
    controller.abort(new Error('no end within 5 s'));
    expect(await outcome).toMatchObject({
      status: 'failure',
      code: 'unreachable',
      error: 'given up before it was done: no end within 5 s',
    });
    expect(given[0]?.aborted).toBe(true);
  });

  it('ends a step that sleeps', async () => {
    const controller = new AbortController();
    const run: Run = async ({ sleep }) => {
      controller.abort(new Error('the end'));
      await sleep(60_000);
      return DONE;
    };
    expect(await runWith(run, { signal: controller.signal })).toMatchObject({ code: 'unreachable' });
  });

  it('before the start opens no door', async () => {
    const { adapters, calls } = fakeAdapters();
    const run = vi.fn<Run>(async () => DONE);
    expect(await runWith(run, { adapters, signal: AbortSignal.abort(new Error('the end')) })).toMatchObject({
      code: 'unreachable',
    });
    expect(run).not.toHaveBeenCalled();
    expect(calls).toEqual([]);
  });

  it('ends with the step what a forgotten call still waits for', async () => {
    const given: AbortSignal[] = [];
    const hang: Adapters['pods.label'] = (_pod, _labels, signal) => {
      given.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('too late'))));
    };
    const run: Run = async ({ targets, use }) => {
      void use['pods.label'](podOf(targets), { a: 'b' });
      return DONE;
    };
    expect(await runWith(run, { adapters: fakeAdapters({ 'pods.label': hang }).adapters })).toEqual(DONE);
    expect(given[0]?.aborted).toBe(true);
  });
});

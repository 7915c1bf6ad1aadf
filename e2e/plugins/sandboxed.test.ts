import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerStart } from '../../src/cli/worker-file.ts';
import type { Eviction } from '../../src/model/capability.ts';
import type { Actionner } from '../../src/model/definition.ts';
import type { Adapters } from '../../src/model/door-row.ts';
import type { PodTarget } from '../../src/model/targets.ts';
import { createExecutor, type Executor } from '../../src/runtime/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../../src/runtime/executor-fixture.ts';
import { buildPluginScript } from '../../tools/generate/plugin-scripts.ts';
import { drain } from './drain.ts';
import { hang } from './hang.ts';
import { noop } from './noop.ts';
import { once } from './once.ts';

const PLUGINS: Readonly<Record<string, Actionner>> = { drain, hang, noop, once };
const event = alertWith({ 'k8s.pod.name': 'pod-0', 'k8s.ns.name': 'shop' });
const pods = Array.from({ length: 250 }, (_, number) => ({
  pod: { kind: 'pod', namespace: 'shop', name: `pod-${number}`, uid: `uid-${number}` } as PodTarget,
  ownerKind: null,
  mirror: false,
  self: false,
}));

const evicted: (string | undefined)[] = [];
const refused = new Set<string>();
/** Every tenth pod is refused once, as by a disruption budget. */
const evict = async ({ name, uid = '' }: PodTarget): Promise<Eviction> => {
  if (name.endsWith('0') && !refused.has(uid)) {
    refused.add(uid);
    return { evicted: false, retryAfterMs: 5 };
  }
  evicted.push(uid);
  return { evicted: true };
};

let executor: Executor;
beforeAll(async () => {
  const scripts = await Promise.all(
    Object.entries(PLUGINS).map(
      async ([name, { id }]) => [id, await buildPluginScript(join(import.meta.dirname, `${name}.ts`), name)] as const,
    ),
  );
  const adapters: Adapters = {
    ...fakeAdapters().adapters,
    'nodes.pods': async () => pods,
    'pods.evict': evict,
    'pods.gone': async () => true,
  };
  executor = createExecutor({
    adapters,
    scripts: new Map(scripts),
    worker: workerStart('sandbox'),
    heartbeat: { silence: 20_000 },
  });
});
afterAll(() => executor.end());

function run(actionner: Actionner, parameters: object | null, milliseconds = 30_000) {
  const step = { actionner, parameters, event, record: memoryRecord().record, milliseconds };
  return executor.run(step, new AbortController().signal);
}

describe('the plug-ins for tests, in the sandbox', () => {
  it('drain 250 pods, each once', async () => {
    expect(await run(drain, { max_wait_period: 30 })).toMatchObject({
      status: 'success',
      output: "the node 'node-1' has been drained: 250 evicted pods, 0 ignored pods",
      objects: { node: 'node-1' },
    });
    expect(new Set(evicted).size).toBe(250);
    expect(evicted).toHaveLength(250);
    expect(refused.size).toBe(25);
  });

  it('do nothing', async () => {
    expect(await run(noop, null)).toMatchObject({ status: 'success', objects: { pod: 'pod-0' } });
  });

  it('act once', async () => {
    expect(await run(once, { labels: { a: 'b' }, linger: 0 })).toMatchObject({ status: 'success' });
  });

  it('hang until their time is over', async () => {
    expect(await run(hang, null, 200)).toMatchObject({ status: 'failure', code: 'deadline' });
  });
});

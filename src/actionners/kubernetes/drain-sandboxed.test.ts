import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPluginScript } from '../../../tools/generate/plugin-scripts.ts';
import { workerStart } from '../../cli/worker-file.ts';
import type { Eviction } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters } from '../../model/door-row.ts';
import type { PodTarget } from '../../model/targets.ts';
import { createExecutor, type Executor } from '../../runtime/plugins/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../../runtime/plugins/executor-fixture.ts';
import { drain } from './drain.ts';

const event = alertWith({ 'k8s.pod.name': 'pod-0', 'k8s.ns.name': 'shop' });
const pods = Array.from({ length: 250 }, (_, number) => ({
  pod: { kind: 'pod', namespace: 'shop', name: `pod-${number}`, uid: `uid-${number}` } as PodTarget,
  ownerKind: 'ReplicaSet' as const,
  mirror: false,
  self: false,
}));
const NODE = { objects: { node: 'node-1' } };

describe('kubernetes:drain, in the sandbox', () => {
  const evicted: string[] = [];
  const refused = new Set<string>();
  let evict: (uid: string) => Promise<Eviction>;
  let isGone: (uid: string) => boolean;
  let executor: Executor;

  beforeAll(async () => {
    const adapters: Adapters = {
      ...fakeAdapters().adapters,
      'nodes.pods': async () => pods,
      'pods.evict': ({ uid = '' }) => evict(uid),
      'pods.gone': async ({ uid = '' }, within) => {
        if (!isGone(uid)) await sleep(within);
        return isGone(uid);
      },
    };
    const script = await buildPluginScript(join(import.meta.dirname, 'drain.ts'), 'drain');
    executor = createExecutor({
      ...{ adapters, scripts: new Map([[drain.id, script]]) },
      ...{ worker: workerStart('sandbox'), heartbeat: { silence: 20_000 } },
    });
  });
  afterAll(() => executor.end());

  function run(parameters: Readonly<Record<string, string | number | boolean>>) {
    const step = { actionner: drain, parameters, event, record: memoryRecord().record, milliseconds: 30_000 };
    return executor.run(step, new AbortController().signal);
  }

  it('evicts 250 pods, each once, though every tenth is refused at first', async () => {
    evict = async (uid) => {
      if (uid.endsWith('0') && !refused.has(uid)) {
        refused.add(uid);
        return { evicted: false, retryAfterMs: 5 };
      }
      evicted.push(uid);
      return { evicted: true };
    };
    isGone = () => true;
    const outcome = await run({ max_wait_period: 30, min_healthy_replicas: '1' });
    const output =
      "the node 'node-1' has been drained, errors are ignored: 0 ignored pods, 0 eviction errors, 0 other errors";
    expect(outcome).toMatchObject({ status: 'success', output, ...NODE });
    expect(new Set(evicted).size).toBe(250);
    expect(evicted).toHaveLength(250);
    expect(evicted.at(-1)).toBe('uid-0');
    expect(refused.size).toBe(25);
  });

  it('says of which node it failed, and of what', async () => {
    evict = async (uid) => {
      if (uid === 'uid-7') throw new DoorError('refused', 'forbidden');
      return { evicted: true };
    };
    isGone = (uid) => uid !== 'uid-8';
    const error =
      "the node 'node-1' has not been fully drained: 0 pods ignored, 1 eviction errors, 1 were not evicted during max_wait_period, 0 other errors";
    expect(await run({ max_wait_period: 1 })).toEqual({
      ...{ status: 'failure', code: 'refused', error },
      objects: {
        node: 'node-1',
        eviction_errors: 'shop/pod-7: forbidden',
        wait_errors: 'shop/pod-8: did not terminate within the max_wait_period',
      },
    });
  });

  it('fails as the API does that does not answer', async () => {
    evict = async () => {
      throw new DoorError('unreachable', 'no answer');
    };
    expect(await run({ ignore_errors: true })).toMatchObject({ code: 'unreachable', error: 'no answer' });
  });
});

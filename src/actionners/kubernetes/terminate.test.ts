import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Eviction, Owner, Replicas } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { PodRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { terminate } from './terminate.ts';

const POD: PodRef = { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' };

/** Runs the actionner on doors that note their calls, for a pod of the given owner. */
async function runTerminate(
  given: ParameterMap,
  owner: Owner | null,
  replicas?: Replicas,
  eviction: Eviction = { evicted: true },
) {
  const calls: unknown[][] = [];
  const decoded = decodeParameters(terminate.parameters, given);
  const decodedEvent = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !decodedEvent.ok) throw new Error('the test is wrong');
  const result = await terminate.behaviour?.run({
    event: decodedEvent.event,
    parameters: decoded.value,
    targets: { pod: POD },
    keeps: false,
    use: {
      'pods.delete': async (...call) => void calls.push(['pods.delete', ...call]),
      'pods.evict': async (...call) => {
        calls.push(['pods.evict', ...call]);
        return calls.filter(([door]) => door === 'pods.evict').length > 3 ? { evicted: true } : eviction;
      },
      'pods.owner': async (...call) => {
        calls.push(['pods.owner', ...call]);
        return owner;
      },
      'pods.replicas': async (...call) => {
        calls.push(['pods.replicas', ...call]);
        if (!replicas) throw new Error('nobody needs to know');
        return replicas;
      },
    },
    sleep: async (milliseconds) => void calls.push(['sleep', milliseconds]),
  });
  return { calls, result };
}

const STANDALONE = null;
const DAEMON: Owner = { kind: 'DaemonSet', name: 'agent' };
const STATEFUL: Owner = { kind: 'StatefulSet', name: 'db' };
const JOB: Owner = { kind: 'other', name: 'job' };
const REPLICA: Owner = { kind: 'ReplicaSet', name: 'rs' };

const defaults = {
  ...{ grace_period_seconds: 0, ignore_daemonsets: false, ignore_statefulsets: false, ignore_standalone_pods: false },
  ...{ min_healthy_replicas: undefined, evict: false },
};
const objects = { pod: 'web', namespace: 'shop' };
const terminated = { status: 'success', output: "the pod 'web' in the namespace 'shop' has been terminated", objects };
const ignored = (why: string) => ({
  status: 'ignored',
  result: `the pod 'web' in the namespace 'shop' ${why} and will be ignored.`,
  objects,
});
const asked = ['pods.owner', POD];
const counted = ['pods.replicas', POD];
const deleted = (seconds = 0) => ['pods.delete', POD, seconds];

describe('evict', () => {
  const evicted = ['pods.evict', POD];
  const forbidden = (retryAfterMs: number) => ({ evicted: false, retryAfterMs }) as const;

  it('evicts the pod in place of deleting it', async () => {
    expect(await runTerminate({ evict: true }, STANDALONE)).toEqual({ calls: [evicted], result: terminated });
    expect(terminate.behaviour.opens?.({ ...defaults, evict: true })).toEqual(['pods.evict']);
    expect(terminate.behaviour.opens?.(defaults)).toEqual(['pods.delete']);
  });

  it('asks again while a disruption budget forbids it', async () => {
    const { calls, result } = await runTerminate({ evict: true }, STANDALONE, undefined, forbidden(5_000));
    const waited = ['sleep', 5_000];
    expect(calls).toEqual([evicted, waited, evicted, waited, evicted, waited, evicted]);
    expect(result).toEqual(terminated);
  });

  it('fails when that does not end, and kills nothing', async () => {
    await expect(runTerminate({ evict: true }, STANDALONE, undefined, forbidden(15_000))).rejects.toMatchObject({
      code: 'refused',
      message: "the pod 'web' in the namespace 'shop' may not be evicted now: a disruption budget forbids it",
    });
  });
});

describe('kubernetes:terminate', () => {
  it.each<[string, ParameterMap, Owner | null, unknown[][], object]>([
    ['kills at once, without asking for the owner', {}, STANDALONE, [deleted()], terminated],
    ['gives time', { grace_period_seconds: 5 }, STANDALONE, [deleted(5)], terminated],
    ['spares standalone pods', { ignore_standalone_pods: true }, STANDALONE, [asked], ignored('is a standalone pod')],
    ['spares DaemonSets', { ignore_daemonsets: true }, DAEMON, [asked], ignored('belongs to a DaemonSet')],
    ['spares StatefulSets', { ignore_statefulsets: true }, STATEFUL, [asked], ignored('belongs to a StatefulSet')],
    ['does not mix them up', { ignore_daemonsets: true }, STATEFUL, [asked, deleted()], terminated],
    ['nor these', { ignore_statefulsets: true }, STANDALONE, [asked, deleted()], terminated],
    ['nor these', { ignore_standalone_pods: true }, DAEMON, [asked, deleted()], terminated],
    [
      'takes pods of other owners',
      { ignore_daemonsets: true, ignore_statefulsets: true, ignore_standalone_pods: true, min_healthy_replicas: '9' },
      JOB,
      [asked, deleted()],
      terminated,
    ],
    [
      'counts no replicas where none must stay',
      { ignore_daemonsets: true, ignore_statefulsets: true, ignore_standalone_pods: true },
      REPLICA,
      [asked, deleted()],
      terminated,
    ],
    ['asks for replicas of ReplicaSets only', { min_healthy_replicas: '9' }, STATEFUL, [asked, deleted()], terminated],
  ])('%s', async (_, given, owner, calls, result) => {
    expect(await runTerminate(given, owner)).toEqual({ calls, result });
  });

  it.each<[string, number, number, 'success' | 'ignored']>([
    ['2', 1, 4, 'ignored'],
    ['2', 2, 4, 'success'],
    ['0', 0, 4, 'success'],
    ['50%', 2, 4, 'success'],
    ['51%', 2, 4, 'ignored'],
    ['33%', 1, 3, 'success'],
    ['34%', 1, 3, 'ignored'],
    ['100%', 3, 3, 'success'],
    ['100%', 2, 3, 'ignored'],
    ['0%', 0, 3, 'success'],
    ['50%', 0, 0, 'success'],
  ])('min_healthy_replicas %s with %i of %i ready: %s', async (min_healthy_replicas, ready, wanted, status) => {
    const { calls, result } = await runTerminate({ min_healthy_replicas }, REPLICA, { ready, wanted });
    expect(calls).toEqual(status === 'success' ? [asked, counted, deleted()] : [asked, counted]);
    const reason = 'belongs to a ReplicaSet without enough healthy replicas';
    expect(result).toEqual(status === 'success' ? terminated : ignored(reason));
  });

  it('counts a percentage of the wanted replicas, rounded up', async () => {
    const numbers = [fc.nat(100), fc.nat(50), fc.nat(50)] as const;
    await fc.assert(
      fc.asyncProperty(...numbers, async (percent, ready, wanted) => {
        const { result } = await runTerminate({ min_healthy_replicas: `${percent}%` }, REPLICA, { ready, wanted });
        const enough = ready >= Math.ceil((percent * wanted) / 100);
        expect(result?.status).toBe(enough ? 'success' : 'ignored');
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { Eviction, NodePod } from '../../src/model/capability.ts';
import { decodeEvent } from '../../src/model/decode-event.ts';
import { decodeParameters } from '../../src/model/decode-parameters.ts';
import type { NodeRef, PodRef } from '../../src/model/references.ts';
import type { ParameterMap } from '../../src/model/rule.ts';
import { drain } from './drain.ts';

const NODE: NodeRef = { kind: 'node', ref: 1, name: 'node-1' };
const pod = (number: number): PodRef => ({ kind: 'pod', ref: number + 2, name: `web-${number}`, namespace: 'shop' });
const nodePod = (number: number, facts: Partial<NodePod> = {}): NodePod => ({
  pod: pod(number),
  ownerKind: null,
  mirror: false,
  self: false,
  ...facts,
});
/** The alert's pod has another reference than the one in the list. */
const OWN: PodRef = { ...pod(0), ref: 0 };

interface World {
  readonly pods: readonly NodePod[];
  readonly evict?: (pod: PodRef, attempt: number) => Eviction;
  readonly gone?: (pod: PodRef) => boolean;
}

/** Runs the actionner on doors of which each needs a turn, and notes what it does. */
async function runDrain(given: ParameterMap, { pods, evict = () => ({ evicted: true }), gone = () => true }: World) {
  const evicted: string[] = [];
  const waited: number[] = [];
  const slept: number[] = [];
  const attempts = new Map<string, number>();
  let open = 0;
  let most = 0;
  const decoded = decodeParameters(drain.parameters, given);
  const event = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !event.ok) throw new Error('the test is wrong');
  const result = await drain.behaviour
    ?.run({
      event: event.event,
      parameters: decoded.value,
      targets: { pod: OWN },
      keeps: false,
      use: {
        'nodes.ofPod': async () => NODE,
        'nodes.pods': async () => pods,
        'pods.evict': async (pod) => {
          most = Math.max(most, ++open);
          await new Promise(setImmediate);
          open -= 1;
          const attempt = (attempts.get(pod.name) ?? 0) + 1;
          attempts.set(pod.name, attempt);
          const eviction = evict(pod, attempt);
          if (eviction.evicted) evicted.push(pod.name);
          return eviction;
        },
        'pods.gone': async (pod, within) => {
          waited.push(within);
          return gone(pod);
        },
      },
      sleep: async (milliseconds) => void slept.push(milliseconds),
    })
    .catch((error: unknown) => error);
  return { result, evicted, waited, slept, most };
}

describe('test:drain', () => {
  it('evicts every pod once, eight at a time, that of the alert last', async () => {
    const pods = Array.from({ length: 40 }, (_, number) => nodePod(number));
    const { result, evicted, most } = await runDrain({}, { pods });
    expect(result).toMatchObject({
      status: 'success',
      output: "the node 'node-1' has been drained: 40 evicted pods, 0 ignored pods",
    });
    expect(evicted.toSorted()).toEqual(pods.map(({ pod }) => pod.name).toSorted());
    expect(evicted.at(-1)).toBe(OWN.name);
    expect(most).toBe(8);
  });

  it('leaves alone what the kubelet runs, Talon itself and, if told so, DaemonSets', async () => {
    const pods = [
      nodePod(1, { mirror: true }),
      nodePod(2, { self: true }),
      nodePod(3, { ownerKind: 'DaemonSet' }),
      nodePod(4, { ownerKind: 'ReplicaSet' }),
    ];
    expect((await runDrain({}, { pods })).evicted).toEqual(['web-3', 'web-4']);
    expect((await runDrain({ ignore_daemonsets: true }, { pods })).evicted).toEqual(['web-4']);
  });

  it('asks again after as long as it is told', async () => {
    const evict = (_: PodRef, attempt: number): Eviction =>
      attempt < 3 ? { evicted: false, retryAfterMs: 20 } : { evicted: true };
    const { result, evicted, slept } = await runDrain({}, { pods: [nodePod(1)], evict });
    expect(result).toMatchObject({ status: 'success' });
    expect({ evicted, slept }).toEqual({ evicted: ['web-1'], slept: [20, 20] });
  });

  it('waits for pods to be gone, and says which were not', async () => {
    const pods = [nodePod(1), nodePod(2)];
    const { result, waited } = await runDrain({ max_wait_period: 3 }, { pods, gone: ({ name }) => name === 'web-1' });
    expect(waited).toEqual([3000, 3000]);
    expect(result).toMatchObject({ code: 'refused', message: "1 pods are still on the node 'node-1'" });
  });

  it('gives up where a disruption budget never lets a pod go', async () => {
    const evict = (): Eviction => ({ evicted: false, retryAfterMs: 4000 });
    const { result, slept } = await runDrain({ max_wait_period: 10 }, { pods: [nodePod(1)], evict });
    expect(slept).toEqual([4000, 4000]);
    expect(result).toMatchObject({ code: 'refused' });
  });
});

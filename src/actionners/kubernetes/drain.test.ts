import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Eviction, NodePod, Replicas } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import { DoorError } from '../../model/door-error.ts';
import type { NodeRef, PodRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { drain } from './drain.ts';

const NODE: NodeRef = { kind: 'node', ref: 1, name: 'node-1' };
const pod = (number: number, namespace = 'shop'): PodRef => ({
  kind: 'pod',
  ref: number + 2,
  name: `web-${number}`,
  namespace,
});
const nodePod = (number: number, facts: Partial<NodePod> = {}): NodePod => ({
  pod: pod(number),
  ownerKind: null,
  mirror: false,
  self: false,
  ...facts,
});
const nodePods = (count: number, facts?: Partial<NodePod>) =>
  Array.from({ length: count }, (_, number) => nodePod(number, facts));
/** The alert's pod has another reference than the one in the list. */
const OWN: PodRef = { ...pod(0), ref: 0 };

const YES: Eviction = { evicted: true };
const no = (retryAfterMs = 5000): Eviction => ({ evicted: false, retryAfterMs });

/** What the doors answer. Whatever is left out goes well. Times in milliseconds. */
interface World {
  readonly pods: readonly NodePod[];
  readonly evict?: (pod: PodRef, attempt: number, now: number) => Eviction;
  readonly replicas?: (pod: PodRef) => Replicas;
  /** How long a pod takes to be gone once it is evicted. */
  readonly lasts?: (pod: PodRef) => number;
}

/** A clock that goes on to the next thing that is waited for as soon as nothing else is to be done. */
class Clock {
  now = 0;
  readonly #waits: { readonly until: number; readonly resolve: () => void }[] = [];

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#waits.push({ until: this.now + milliseconds, resolve }));
  }

  async run<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const ended = promise.finally(() => {
      isOver = true;
    });
    ended.catch(() => undefined);
    for (;;) {
      await new Promise(setImmediate);
      if (isOver) return ended;
      this.#waits.sort((a, b) => a.until - b.until);
      const next = this.#waits.shift();
      if (!next) throw new Error('nothing is waited for, and nothing goes on');
      this.now = Math.max(this.now, next.until);
      next.resolve();
    }
  }
}

/** Runs the actionner on doors of which each takes a moment, and notes what it does. */
async function runDrain(given: ParameterMap, world: World) {
  const { pods, evict = () => YES, replicas = () => ({ wanted: 1, ready: 1 }), lasts = () => 0 } = world;
  const clock = new Clock();
  const evicted: string[] = [];
  const gone = new Map<string, number>();
  const attempts = new Map<string, number>();
  let calls = 0;
  let open = 0;
  let most = 0;
  const decoded = decodeParameters(drain.parameters, given);
  const event = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !event.ok) throw new Error('the test is wrong');
  async function takes<T>(milliseconds: number, answer: () => T): Promise<T> {
    calls += 1;
    most = Math.max(most, ++open);
    await clock.wait(milliseconds);
    open -= 1;
    return answer();
  }
  const running = drain.behaviour!.run({
    event: event.event,
    parameters: decoded.value,
    targets: { pod: OWN },
    keeps: false,
    use: {
      'nodes.ofPod': async () => NODE,
      'nodes.pods': async () => pods,
      'pods.replicas': (of) => takes(1, () => replicas(of)),
      'pods.evict': (of) =>
        takes(1, () => {
          const attempt = (attempts.get(of.name) ?? 0) + 1;
          attempts.set(of.name, attempt);
          const eviction = evict(of, attempt, clock.now);
          if (eviction.evicted) {
            evicted.push(of.name);
            gone.set(of.name, clock.now + lasts(of));
          }
          return eviction;
        }),
      'pods.gone': (of, within) => {
        const left = Math.max(0, gone.get(of.name)! - clock.now);
        return takes(Math.min(left, within), () => left <= within);
      },
    },
    sleep: (milliseconds) => clock.wait(milliseconds),
  });
  const result = await clock.run(running).catch((error: unknown) => error);
  return { result, evicted, attempts, calls, most, seconds: clock.now / 1000 };
}

/** Beside the reasons of errors. */
const objects = expect.objectContaining({ node: 'node-1' });
const drained = (ignored = 0, evictionErrors = 0, otherErrors = 0) => ({
  status: 'success',
  output: `the node 'node-1' has been drained, errors are ignored: ${ignored} ignored pods, ${evictionErrors} eviction errors, ${otherErrors} other errors`,
  objects,
});
const notDrained = (ignored: number, evictionErrors: number, waitErrors: number, otherErrors: number) =>
  expect.objectContaining({
    code: 'refused',
    message: `the node 'node-1' has not been fully drained: ${ignored} pods ignored, ${evictionErrors} eviction errors, ${waitErrors} were not evicted during max_wait_period, ${otherErrors} other errors`,
    objects,
  });

describe('kubernetes:drain', () => {
  it('evicts 250 pods once, eight at a time, that of the alert last', async () => {
    const pods = nodePods(250);
    const { result, evicted, most } = await runDrain({}, { pods });
    expect(result).toEqual(drained());
    expect(evicted.toSorted()).toEqual(pods.map((each) => each.pod.name).toSorted());
    expect(evicted.at(-1)).toBe(OWN.name);
    expect(most).toBe(8);
  });

  it('does not need the pod of the alert to be there still', async () => {
    const { result, evicted } = await runDrain({}, { pods: [nodePod(1)] });
    expect({ result, evicted }).toEqual({ result: drained(), evicted: ['web-1'] });
    expect((await runDrain({}, { pods: [] })).result).toEqual(drained());
  });

  it('takes a pod of the same name in another namespace for another pod', async () => {
    const pods = [nodePod(0, { pod: pod(0, 'other') }), nodePod(1)];
    expect((await runDrain({}, { pods })).evicted).toEqual(['web-0', 'web-1']);
  });

  it.each<[string, ParameterMap, Partial<NodePod>, boolean]>([
    ['what the kubelet runs', {}, { mirror: true }, false],
    ['Talon itself', {}, { self: true }, false],
    ['what the kubelet runs, with all parameters', { ignore_errors: true }, { mirror: true }, false],
    ['a standalone pod', {}, {}, true],
    ['a pod of a Job', { ignore_daemonsets: true, ignore_statefulsets: true }, { ownerKind: 'other' }, true],
    ['a pod of a DaemonSet', {}, { ownerKind: 'DaemonSet' }, true],
    ['one of those that are ignored', { ignore_daemonsets: true }, { ownerKind: 'DaemonSet' }, false],
    ['a pod of a StatefulSet', { ignore_daemonsets: true }, { ownerKind: 'StatefulSet' }, true],
    ['one of those that are ignored', { ignore_statefulsets: true }, { ownerKind: 'StatefulSet' }, false],
  ])('%s, given %j and %j, is evicted: %s', async (_, given, facts, isEvicted) => {
    const { result, evicted } = await runDrain(given, { pods: [nodePod(1, facts)] });
    expect(evicted).toEqual(isEvicted ? ['web-1'] : []);
    expect(result).toEqual(drained(isEvicted ? 0 : 1));
  });

  it.each([
    ['2', 1, 4, false],
    ['2', 2, 4, true],
    ['50%', 2, 4, true],
    ['51%', 2, 4, false],
    ['100%', 4, 4, true],
    ['0', 0, 4, true],
  ])('min_healthy_replicas %s with %i of %i ready: evicted %s', async (min, ready, wanted, isEvicted) => {
    const world = { pods: [nodePod(1, { ownerKind: 'ReplicaSet' })], replicas: () => ({ ready, wanted }) };
    const { result, evicted } = await runDrain({ min_healthy_replicas: min }, world);
    expect(evicted).toEqual(isEvicted ? ['web-1'] : []);
    expect(result).toEqual(drained(isEvicted ? 0 : 1));
  });

  it('counts no replicas of what is no ReplicaSet, or where none must stay', async () => {
    const replicas = () => {
      throw new Error('nobody needs to know');
    };
    const pods = [nodePod(1), nodePod(2, { ownerKind: 'StatefulSet' })];
    expect((await runDrain({ min_healthy_replicas: '100%' }, { pods, replicas })).result).toEqual(drained());
    const sets = [nodePod(1, { ownerKind: 'ReplicaSet' })];
    expect((await runDrain({}, { pods: sets, replicas })).result).toEqual(drained());
  });

  it('asks again after as long as it is told', async () => {
    const evict = (_: PodRef, attempt: number) => (attempt < 3 ? no(4000) : YES);
    const { result, evicted, seconds } = await runDrain({}, { pods: [nodePod(1)], evict });
    expect({ result, evicted }).toEqual({ result: drained(), evicted: ['web-1'] });
    expect(seconds).toBeCloseTo(8, 1);
  });

  it.each([
    ['half a minute', {}, 30],
    ['max_wait_period', { max_wait_period: 120 }, 120],
  ])('goes on asking where a disruption budget never lets go, for %s', async (_, given, period) => {
    const { result, seconds } = await runDrain(given, {
      pods: [nodePod(1), nodePod(2), nodePod(3)],
      evict: () => no(),
    });
    expect(result).toEqual(notDrained(0, 3, 0, 0));
    expect(seconds).toBeCloseTo(period, 0);
  });

  it('lets a budget go one by one, and neither hurries nor rests', async () => {
    let free = 0;
    const evict = (_: PodRef, __: number, now: number) => {
      if (now < free) return no(5000);
      free = now + 5000;
      return YES;
    };
    const { result, evicted, seconds } = await runDrain({ max_wait_period: 300 }, { pods: nodePods(40), evict });
    expect(seconds).toBeLessThan(210);
    expect(result).toEqual(drained());
    expect(evicted).toHaveLength(40);
  });

  it('waits for pods to be gone, all in one period, and says how many were not', async () => {
    const pods = nodePods(100);
    const lasts = ({ name }: PodRef) => (name === 'web-7' || name === 'web-8' ? 1e9 : 30_000);
    const { result, seconds } = await runDrain({ max_wait_period: 60 }, { pods, lasts });
    expect(result).toEqual(notDrained(0, 0, 2, 0));
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(66);
  });

  it('waits no longer than the pods take', async () => {
    const { result, seconds } = await runDrain({ max_wait_period: 600 }, { pods: nodePods(250), lasts: () => 30_000 });
    expect(result).toEqual(drained());
    expect(seconds).toBeLessThan(36);
  });

  it('does not wait for pods of some namespaces, or where no period is given', async () => {
    const pods = [nodePod(1, { pod: pod(1, 'batch') }), nodePod(2)];
    const lasts = ({ namespace }: PodRef) => (namespace === 'batch' ? 1e9 : 1000);
    const given = { max_wait_period: 60, wait_period_excluded_namespaces: ['batch', 'x'] };
    const excluded = await runDrain(given, { pods, lasts });
    expect(excluded.result).toEqual(drained());
    expect(excluded.seconds).toBeLessThan(2);
    expect(await runDrain({}, { pods, lasts })).toMatchObject({ result: drained() });
    expect(await runDrain({ max_wait_period: -5 }, { pods, lasts })).toMatchObject({ result: drained() });
  });

  it.each(['ignore_errors', 'ignore_error'])('reports success whatever happened with %s', async (name) => {
    const evict = () => {
      throw new DoorError('refused', 'forbidden');
    };
    expect((await runDrain({ [name]: true }, { pods: nodePods(3), evict })).result).toEqual(drained(0, 3));
    const lasts = () => 1e9;
    expect((await runDrain({ [name]: true, max_wait_period: 1 }, { pods: nodePods(3), lasts })).result).toEqual(
      drained(),
    );
  });

  it('tells beside it which pods stayed, and why', async () => {
    const pods = nodePods(6).map((each, index) => (index === 5 ? { ...each, ownerKind: 'ReplicaSet' as const } : each));
    const replicas = (): never => {
      throw new DoorError('refused', `no rights ${'x'.repeat(500)}`);
    };
    const evict = ({ name }: PodRef) => {
      if (name === 'web-1' || name === 'web-2') return no();
      if (name === 'web-3') throw new DoorError('busy', 'the Kubernetes API answered 500: etcd\n{"level":"info"}');
      return YES;
    };
    const lasts = ({ name }: PodRef) => (name === 'web-4' ? 1e9 : 0);
    const given = { min_healthy_replicas: '1', max_wait_period: 1 };
    const { result } = await runDrain(given, { pods, replicas, evict, lasts });
    expect(result).toEqual(notDrained(0, 3, 1, 1));
    expect(result).toMatchObject({
      objects: {
        node: 'node-1',
        eviction_errors:
          'shop/web-3: the Kubernetes API answered 500: etcd\n{"level":"info"}; shop/web-1 and 1 more: a disruption budget forbids it',
        wait_errors: 'shop/web-4: did not terminate within the max_wait_period',
        other_errors: expect.stringMatching(/^shop\/web-5: no rights x{150}$/),
      },
    });
    const ignoring = await runDrain({ ...given, ignore_errors: true }, { pods, replicas, evict, lasts });
    expect(ignoring.result).toMatchObject({ objects: { wait_errors: expect.stringContaining('web-4') } });
    const nothingWrong = await runDrain({}, { pods: nodePods(2) });
    expect(nothingWrong.result).toMatchObject({ status: 'success', objects: { node: 'node-1' } });
    expect(Object.keys((nothingWrong.result as { objects: object }).objects)).toEqual(['node']);
  });

  it('waits with the API, instead of counting, where that does not answer', async () => {
    const silence = new DoorError('unreachable', 'no answer');
    const evict = () => {
      throw silence;
    };
    expect((await runDrain({ ignore_errors: true }, { pods: nodePods(3), evict })).result).toBe(silence);
  });

  it('goes past pods that are gone before their replicas are counted', async () => {
    const replicas = (): never => {
      throw new DoorError('not-found', 'gone');
    };
    const world = { pods: [nodePod(1, { ownerKind: 'ReplicaSet' })], replicas };
    expect((await runDrain({ min_healthy_replicas: '1' }, world)).result).toEqual(drained());
  });

  it('asks for no more than a step may, even in an hour in which nothing works', async () => {
    const evict = ({ name }: PodRef) => (Number(name.slice(4)) % 2 === 0 ? no(1) : YES);
    const world = { pods: nodePods(250), evict, lasts: () => 1e9 };
    const { result, calls } = await runDrain({ max_wait_period: 3600 }, world);
    expect(result).toEqual(notDrained(0, 125, 125, 0));
    expect(calls).toBeLessThan(10_000);
  });

  it('counts every pod once, whatever becomes of it', async () => {
    const fates = ['spared', 'few', 'evicted', 'blocked', 'later', 'refused', 'lost', 'stays'] as const;
    const FATE_OWNERS = { spared: 'DaemonSet', few: 'ReplicaSet', lost: 'ReplicaSet' } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...fates), { maxLength: 40 }), fc.boolean(), async (given, ignores) => {
        const fateOf = ({ name }: PodRef) => given[Number(name.slice(4))];
        const pods = given.map((fate, number) =>
          nodePod(number, { ownerKind: FATE_OWNERS[fate as keyof typeof FATE_OWNERS] ?? null }),
        );
        const refuse = (): never => {
          throw new DoorError('refused', 'no');
        };
        const evict = (of: PodRef, attempt: number) => {
          const fate = fateOf(of);
          if (fate === 'refused') return refuse();
          return fate === 'blocked' || (fate === 'later' && attempt < 3) ? no() : YES;
        };
        const replicas = (of: PodRef) => (fateOf(of) === 'lost' ? refuse() : { wanted: 2, ready: 1 });
        const lasts = (of: PodRef) => (fateOf(of) === 'stays' ? 1e9 : 2000);
        const parameters = { ignore_daemonsets: true, min_healthy_replicas: '100%', max_wait_period: 30 };
        const world = { pods, evict, replicas, lasts };
        const { result, evicted } = await runDrain({ ...parameters, ignore_errors: ignores }, world);
        const count = (...of: string[]) => given.filter((fate) => of.includes(fate)).length;
        const [ignored, refused, stays, lost] = [
          ...[count('spared', 'few'), count('refused', 'blocked'), count('stays'), count('lost')],
        ];
        const success = ignores || refused! + stays! + lost! === 0;
        expect(result).toEqual(
          success ? drained(ignored, refused, lost) : notDrained(ignored!, refused!, stays!, lost!),
        );
        expect(evicted).toHaveLength(count('evicted', 'later', 'stays'));
      }),
      { numRuns: 60 },
    );
  });
});

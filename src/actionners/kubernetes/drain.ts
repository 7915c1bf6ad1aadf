import * as z from 'zod';
import type { Door, Doors, NodePod } from '../../model/capability.ts';
import { defineActionner, podOf } from '../../model/definition.ts';
import { codeOf } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { flag, healthThreshold, integer, textList } from '../../model/parameters.ts';
import type { PodRef } from '../../model/references.ts';
import { tooFewReady } from '../../model/too-few-ready.ts';
import { DrainReport } from './drain-report.ts';

/** Pods that something is asked about at the same time. */
const SIDE_BY_SIDE = 8;

/** Milliseconds for which pods that may not be evicted are asked for again, where no period is given. */
const PATIENCE = 30_000;
/** Refusals after which a round of asking again is over: most of what is left is refused for the same reason. */
const REFUSALS = 16;
/** Milliseconds between two rounds at least, and how many rounds there are at most. */
const SHORTEST_PAUSE = 1000;
const ROUNDS = 200;

/** Milliseconds after which the next pod is looked at while one goes, and how often one is looked at at most. */
const LOOK = 5000;
const LOOKS = 100;

/** Seconds beside the waits: every eviction is a request. */
const EVICTIONS = 60;

const parameters = z.object({
  ignore_daemonsets: flag('leave pods of DaemonSets alone'),
  ignore_errors: flag('report success whatever could not be evicted', { aliases: ['ignore_error'] }),
  ignore_statefulsets: flag('leave pods of StatefulSets alone'),
  max_wait_period: integer('seconds to wait for evicted pods to be gone; 0 does not wait'),
  min_healthy_replicas: healthThreshold(
    'leave a pod of a ReplicaSet alone when fewer replicas are ready: a number, or a percentage of the wanted ones',
  ),
  wait_period_excluded_namespaces: textList('namespaces whose pods are evicted, but not waited for'),
});
type Parameters = z.output<typeof parameters>;

/** Evicts the pods of the node that the alert's pod runs on. */
export const drain = defineActionner({
  id: 'kubernetes:drain',
  description: 'Evict the pods of the node that the pod runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters,
  example: `- action: Drain the node
  actionner: kubernetes:drain
  parameters:
    ignore_daemonsets: true
    max_wait_period: 60
`,
  behaviour: {
    // Each eviction is tied to the UID of its pod: a second one finds nobody.
    idempotent: true,
    uses: ['nodes.ofPod', 'nodes.pods', 'pods.replicas', 'pods.evict', 'pods.gone'],
    opens: ({ min_healthy_replicas: least, max_wait_period: seconds }) => [
      ...(['nodes.ofPod', 'nodes.pods', 'pods.evict'] as const),
      ...(least ? (['pods.replicas'] as const) : []),
      ...(seconds > 0 ? (['pods.gone'] as const) : []),
    ],
    deadline: 300,
    // While budgets forbid evictions, and that of the alert's pod, and while evicted pods go.
    lasts: ({ max_wait_period: seconds }) => (seconds > 0 ? 3 * seconds + EVICTIONS : 0),
    writes: () => ['node'],
    async run({ parameters: wanted, targets, use, sleep }) {
      const own = podOf(targets);
      const node = await use['nodes.ofPod'](own);
      const found = await use['nodes.pods'](node);
      const report = new DrainReport();
      const chosen = found.filter((pod) => !isSpared(pod, wanted));
      report.ignored = found.length - chosen.length;
      const isOwn = ({ pod: { name, namespace } }: NodePod) => name === own.name && namespace === own.namespace;
      const drained = { wanted, use, sleep, report };
      const evictions = new Evictions(drained);
      await evictions.make(chosen.filter((pod) => !isOwn(pod)));
      // Without the alert's pod nobody finds the node any more, should the step be run again.
      await evictions.make(chosen.filter(isOwn));
      await waitUntilGone(evictions.evicted, drained);
      return report.outcome(node, wanted.ignore_errors);
    },
  },
});

interface Drained {
  readonly wanted: Parameters;
  readonly use: Pick<Doors, Extract<Door, 'pods.replicas' | 'pods.evict' | 'pods.gone'>>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly report: DrainReport;
}

/** Pods of the kubelet and Talon's own stay, and those that the parameters name. */
function isSpared({ mirror, self, ownerKind }: NodePod, wanted: Parameters): boolean {
  if (mirror || self) return true;
  return (
    (ownerKind === 'DaemonSet' && wanted.ignore_daemonsets) ||
    (ownerKind === 'StatefulSet' && wanted.ignore_statefulsets)
  );
}

/** Asks for evictions, and again for those that a disruption budget forbids, as long as there is patience left. */
class Evictions {
  readonly evicted: PodRef[] = [];
  readonly #drained: Drained;
  #blocked: NodePod[] = [];
  /** Milliseconds after which the first of the blocked pods may be asked for again. */
  #pause = 0;

  constructor(drained: Drained) {
    this.#drained = drained;
  }

  /** Evicts these pods, as far as that is allowed in time. */
  async make(pods: readonly NodePod[]): Promise<void> {
    const { wanted, sleep, report } = this.#drained;
    const period = periodOf(wanted) || PATIENCE;
    const shortest = Math.max(SHORTEST_PAUSE, period / ROUNDS);
    await this.#askFor([...pods]);
    for (let left = period; left > 0 && this.#blocked.length > 0; ) {
      const pause = Math.min(Math.max(this.#pause, shortest), left);
      left -= pause;
      await sleep(pause);
      await this.#askFor(this.#blocked, REFUSALS);
    }
    for (const { pod } of this.#blocked) report.add('eviction', pod, 'a disruption budget forbids it');
    this.#blocked = [];
  }

  /** @param refusals after so many the rest counts as blocked, and comes first the next time */
  async #askFor(waiting: NodePod[], refusals = Number.POSITIVE_INFINITY): Promise<void> {
    this.#blocked = [];
    this.#pause = Number.POSITIVE_INFINITY;
    await sideBySide(
      waiting,
      (pod) => this.#evict(pod),
      () => this.#blocked.length >= refusals,
    );
    this.#blocked = [...waiting, ...this.#blocked];
  }

  async #evict(nodePod: NodePod): Promise<void> {
    const { use, report } = this.#drained;
    const { pod } = nodePod;
    try {
      if (await this.#mustStay(nodePod)) return;
    } catch (error) {
      if (codeOf(error) === 'not-found') return;
      report.add('other', pod, countable(error));
      return;
    }
    try {
      const eviction = await use['pods.evict'](pod);
      if (eviction.evicted) {
        this.evicted.push(pod);
        return;
      }
      this.#blocked.push(nodePod);
      this.#pause = Math.min(this.#pause, eviction.retryAfterMs);
    } catch (error) {
      report.add('eviction', pod, countable(error));
    }
  }

  /** Whether too few of its siblings are ready just now. */
  async #mustStay({ pod, ownerKind }: NodePod): Promise<boolean> {
    const { wanted, use, report } = this.#drained;
    const threshold = wanted.min_healthy_replicas;
    if (!threshold || ownerKind !== 'ReplicaSet') return false;
    if (!tooFewReady(threshold, await use['pods.replicas'](pod))) return false;
    report.ignored += 1;
    return true;
  }
}

/** The pods go at the same time, so that one period is for all of them. At its end each is looked at once more. */
async function waitUntilGone(evicted: readonly PodRef[], { wanted, use, sleep, report }: Drained): Promise<void> {
  const period = periodOf(wanted);
  const excluded = wanted.wait_period_excluded_namespaces ?? [];
  const waiting = evicted.filter(({ namespace }) => !excluded.includes(namespace));
  if (period === 0 || waiting.length === 0) return;
  let over = false;
  void sleep(period).then(() => {
    over = true;
  });
  await sideBySide(waiting, async (pod) => {
    const last = over;
    try {
      if (await use['pods.gone'](pod, last ? 0 : Math.min(period, Math.max(LOOK, period / LOOKS)))) return;
      if (last) report.add('wait', pod, 'did not terminate within the max_wait_period');
      else waiting.push(pod);
    } catch (error) {
      report.add('other', pod, countable(error));
    }
  });
}

/** Milliseconds. */
function periodOf({ max_wait_period: seconds }: Parameters): number {
  return Math.max(0, seconds * 1000);
}

/** What one error of one pod says. Where the API does not answer there is nothing to count: the whole step waits until it does. */
function countable(error: unknown): string {
  if (codeOf(error) === 'unreachable') throw error;
  return error instanceof Error ? error.message : String(error);
}

/** Acts on each, some at a time, until none is left or it is enough. What is put back meanwhile has its turn too. */
async function sideBySide<T>(
  waiting: T[],
  act: (item: T) => Promise<void>,
  isEnough: () => boolean = () => false,
): Promise<void> {
  const lane = async () => {
    while (waiting.length > 0 && !isEnough()) await act(waiting.shift() as T);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
}

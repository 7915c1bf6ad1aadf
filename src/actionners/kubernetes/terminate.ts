import * as z from 'zod';
import type { Eviction, Owner } from '../../model/capability.ts';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { flag, healthThreshold, integer } from '../../model/parameters.ts';
import { tooFewReady } from '../../model/too-few-ready.ts';

const parameters = z.object({
  grace_period_seconds: integer('seconds that the pod has to end; 0 kills it at once'),
  ignore_daemonsets: flag('leave pods of DaemonSets alone'),
  ignore_statefulsets: flag('leave pods of StatefulSets alone'),
  ignore_standalone_pods: flag('leave pods without an owner alone'),
  min_healthy_replicas: healthThreshold(
    'leave a pod of a ReplicaSet alone when fewer replicas are ready: a number, or a percentage of the wanted ones',
  ),
  evict: flag('evict the pod, with its own grace period: disruption budgets may forbid that, and the action fails'),
});

/** Milliseconds for which a pod that may not be evicted is asked for again, and between two times at least. */
const PATIENCE = 30_000;
const SHORTEST_PAUSE = 1_000;

/** Deletes the pod of the alert, unless its owner is to be spared. */
export const terminate = defineActionner({
  id: 'kubernetes:terminate',
  description: 'Delete the pod, at once or with a grace period',
  sources: ['syscalls'],
  continue: false,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters,
  example: `- action: Terminate the pod
  actionner: kubernetes:terminate
  parameters:
    grace_period_seconds: 5
    ignore_daemonsets: true
    ignore_statefulsets: true
    ignore_standalone_pods: true
    min_healthy_replicas: 33%
`,
  behaviour: {
    // A second run deletes nothing else: the broker ties the deletion to the UID of the pod that was looked up.
    idempotent: true,
    uses: ['pods.owner', 'pods.replicas', 'pods.delete', 'pods.evict'],
    opens: (wanted) => [
      ...(asksForOwner(wanted) ? (['pods.owner'] as const) : []),
      ...(wanted.min_healthy_replicas ? (['pods.replicas'] as const) : []),
      wanted.evict ? 'pods.evict' : 'pods.delete',
    ],
    deadline: 60,
    writes: () => ['pod'],
    async run({ parameters: wanted, targets, use, sleep }) {
      const pod = podOf(targets);
      const named = `the pod '${pod.name}' in the namespace '${pod.namespace}'`;
      const objects = { pod: pod.name, namespace: pod.namespace };
      const owner = asksForOwner(wanted) ? await use['pods.owner'](pod) : undefined;
      const threshold = owner?.kind === 'ReplicaSet' ? wanted.min_healthy_replicas : undefined;
      const spared =
        threshold && tooFewReady(threshold, await use['pods.replicas'](pod))
          ? 'belongs to a ReplicaSet without enough healthy replicas'
          : reasonToSpare(wanted, owner);
      if (spared !== undefined)
        return { status: 'ignored', result: `${named} ${spared} and will be ignored.`, objects };
      if (!wanted.evict) await use['pods.delete'](pod, wanted.grace_period_seconds);
      else if (!(await evicted(() => use['pods.evict'](pod), sleep))) {
        throw new DoorError('refused', `${named} may not be evicted now: a disruption budget forbids it`, { objects });
      }
      return { status: 'success', output: `${named} has been terminated`, objects };
    },
  },
});

/** Asks for an eviction until it is granted or there is no patience left. */
async function evicted(ask: () => Promise<Eviction>, sleep: (milliseconds: number) => Promise<void>): Promise<boolean> {
  for (let left = PATIENCE; ; ) {
    const eviction = await ask();
    if (eviction.evicted || left <= 0) return eviction.evicted;
    const pause = Math.min(Math.max(eviction.retryAfterMs, SHORTEST_PAUSE), left);
    left -= pause;
    await sleep(pause);
  }
}

type Parameters = z.output<typeof parameters>;

/** Whether any parameter depends on the owner; without one the lookup is saved. */
function asksForOwner(wanted: Parameters): boolean {
  return (
    wanted.ignore_daemonsets ||
    wanted.ignore_statefulsets ||
    wanted.ignore_standalone_pods ||
    wanted.min_healthy_replicas !== undefined
  );
}

/** @param owner null for a standalone pod, undefined if nothing depends on it */
function reasonToSpare(wanted: Parameters, owner: Owner | null | undefined): string | undefined {
  if (owner === null && wanted.ignore_standalone_pods) return 'is a standalone pod';
  if (owner?.kind === 'DaemonSet' && wanted.ignore_daemonsets) return 'belongs to a DaemonSet';
  if (owner?.kind === 'StatefulSet' && wanted.ignore_statefulsets) return 'belongs to a StatefulSet';
  return undefined;
}

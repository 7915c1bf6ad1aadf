import * as z from 'zod';
import type { NodePod } from '../../src/model/capability.ts';
import { defineActionner, podOf } from '../../src/model/definition.ts';
import { DoorError } from '../../src/model/door-error.ts';
import { FIELD_KEYS } from '../../src/model/event-fields.ts';
import { flag, integer } from '../../src/model/parameters.ts';
import type { PodRef } from '../../src/model/references.ts';

/** Pods that are evicted at the same time. */
const SIDE_BY_SIDE = 8;

/** Milliseconds for which a pod that may not be evicted is asked for again, where nobody is waited for. */
const PATIENCE = 60_000;

/** Evicts the pods of the node that the alert's pod runs on: many doors, effects and waits in one step. */
export const drain = defineActionner({
  id: 'test:drain',
  description: 'Evict the pods of a node, for tests',
  sources: ['syscalls'],
  continue: true,
  destructive: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    ignore_daemonsets: flag('leave pods of DaemonSets alone'),
    max_wait_period: integer('seconds to wait for an evicted pod to be gone; 0 does not wait'),
  }),
  example: `- action: Drain the node
  actionner: test:drain
  parameters:
    ignore_daemonsets: true
    max_wait_period: 60
`,
  behaviour: {
    // Each eviction is tied to the UID of its pod: a second one finds nobody.
    idempotent: true,
    uses: ['nodes.ofPod', 'nodes.pods', 'pods.evict', 'pods.gone'],
    deadline: 300,
    lasts: ({ max_wait_period }) => max_wait_period,
    writes: () => ['node'],
    async run({ parameters, targets, use, sleep }) {
      const wait = parameters.max_wait_period * 1000;
      const own = podOf(targets);
      const node = await use['nodes.ofPod'](own);
      const { others, last, ignored } = choose(await use['nodes.pods'](node), own, parameters.ignore_daemonsets);
      const left: PodRef[] = [];

      async function evict(pod: PodRef): Promise<void> {
        let patience = wait || PATIENCE;
        for (let eviction = await use['pods.evict'](pod); !eviction.evicted; eviction = await use['pods.evict'](pod)) {
          patience -= eviction.retryAfterMs;
          if (patience < 0) return void left.push(pod);
          await sleep(eviction.retryAfterMs);
        }
        if (wait > 0 && !(await use['pods.gone'](pod, wait))) left.push(pod);
      }

      await sideBySide(others, evict);
      // Without the alert's pod nobody finds the node any more, should the step be run again.
      await sideBySide(last, evict);
      if (left.length > 0) throw new DoorError('refused', `${left.length} pods are still on the node '${node.name}'`);
      const evicted = others.length + last.length;
      const output = `the node '${node.name}' has been drained: ${evicted} evicted pods, ${ignored} ignored pods`;
      return { status: 'success', output, objects: { node: node.name } };
    },
  },
});

/** Pods of the kubelet and Talon's own stay. */
function choose(pods: readonly NodePod[], own: PodRef, ignoreDaemonsets: boolean) {
  const chosen = pods.filter(
    ({ mirror, self, ownerKind }) => !(mirror || self || (ignoreDaemonsets && ownerKind === 'DaemonSet')),
  );
  const isOwn = ({ name, namespace }: PodRef) => name === own.name && namespace === own.namespace;
  return {
    others: chosen.map(({ pod }) => pod).filter((pod) => !isOwn(pod)),
    last: chosen.map(({ pod }) => pod).filter(isOwn),
    ignored: pods.length - chosen.length,
  };
}

async function sideBySide(pods: readonly PodRef[], act: (pod: PodRef) => Promise<void>): Promise<void> {
  const waiting = [...pods];
  const lane = async () => {
    for (let pod = waiting.shift(); pod; pod = waiting.shift()) await act(pod);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
}

import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { Door } from '../../model/capability.ts';
import type { NodeSource } from '../../model/context-sources.ts';
import { DoorError } from '../../model/door-error.ts';
import { DOORS } from '../../model/doors.ts';
import type { TargetLookups } from '../../model/target-facts.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeSettings } from './kube-config.ts';
import type { KubeDoorMeans, KubeDoors } from './kube-door-means.ts';

/** Those doors, and what else is asked of it. */
export interface KubeAdapters {
  readonly adapters: KubeDoors;
  readonly lookups: TargetLookups;
  /** The context `k8snode`. */
  readonly nodes: NodeSource;
  /** Says that the API server does not know what a door makes; undefined as far as one can know. */
  readonly policyProblem: (door: Door, signal: AbortSignal) => Promise<string | undefined>;
  /**
   * Reads the credentials, without a call. Loads the client, so that no alert has to wait for that.
   *
   * @throws TalonError of code `actionners`; then the doors stay shut, and the next call tries again
   */
  readonly init: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Falco Talon's words for it. */
const NO_CLIENT = 'wrong k8s client';

/**
 * Nothing is read or loaded before `init`.
 *
 * @param spool where artifacts go; without one no door makes any
 */
export function createKubeAdapters(settings: KubeSettings, spool?: ArtifactSpool): KubeAdapters {
  let opened: Opened | undefined;
  const after = new Set<Promise<void>>();
  const open = () => {
    if (!opened) throw new DoorError('unreachable', NO_CLIENT);
    return opened;
  };
  return {
    init: async () => {
      const loaded = await import('./kube-loaded.ts');
      opened ??= openAll(loaded, settings, {
        ...{ spool, protectedCidrs: settings.protectedCidrs ?? [], captures: settings.captures ?? {} },
        finish: (work) => {
          after.add(work);
          void work.finally(() => after.delete(work));
        },
      });
    },
    close: async () => {
      await Promise.all(after);
      await opened?.client.close();
    },
    adapters: forwarding(() => open().doors),
    lookups: {
      pod: async (...given) => open().lookups.pod(...given),
      node: async (...given) => open().lookups.node(...given),
    },
    nodes: {
      nodeOf: async (...given) => open().nodes.nodeOf(...given),
      facts: async (...given) => open().nodes.facts(...given),
    },
    policyProblem: async (...given) => opened?.policyProblem(...given),
  };
}

/** All there is once the credentials are read. */
interface Opened extends Pick<KubeAdapters, 'lookups' | 'nodes' | 'policyProblem'> {
  readonly client: KubeClient;
  readonly doors: KubeDoors;
}

type Loaded = typeof import('./kube-loaded.ts');

/** @throws TalonError of code `actionners` */
function openAll(loaded: Loaded, settings: KubeSettings, means: Omit<KubeDoorMeans, 'open' | 'self'>): Opened {
  const client = loaded.openKubeClient(settings);
  const self = loaded.ownPod(settings);
  const open = () => client;
  return {
    client,
    doors: loaded.kubeDoors({ ...means, open, self: () => self }),
    lookups: loaded.createTargetLookups(open),
    nodes: loaded.nodeSource(open),
    policyProblem: (door, signal) => loaded.policyProblem(open, door, signal),
  };
}

/** Doors that lead to those that will be there once they are loaded. */
function forwarding(doors: () => KubeDoors): KubeDoors {
  const names = (Object.keys(DOORS) as Door[]).filter(
    (door) => DOORS[door].api === 'kubernetes',
  ) as (keyof KubeDoors)[];
  const forward =
    (name: keyof KubeDoors) =>
    async (...given: never[]) =>
      (doors()[name] as (...given: never[]) => Promise<unknown>)(...given);
  return Object.fromEntries(names.map((name) => [name, forward(name)])) as unknown as KubeDoors;
}

import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { ContextAnswer, ContextSources } from '../model/context-sources.ts';
import type { Adapters, Api } from '../model/door-row.ts';
import type { TargetLookups } from '../model/target-facts.ts';
import { createKubeAdapters } from '../platform/kube/kube-adapters.ts';
import { allAdapters } from './all-adapters.ts';
import type { Environment, Settings } from './settings.ts';

/** The outside world: everything that doors, guards and contexts lead to. */
export interface Platform {
  readonly adapters: Adapters;
  readonly lookups: TargetLookups;
  readonly contexts: ContextSources;
  /**
   * What an API needs before it is asked for the first time, for those that need something: credentials are read and tried. Throws
   * a TalonError of code `actionners`; the next call tries again.
   */
  readonly init: ReadonlyMap<Api, () => Promise<void>>;
  readonly close: () => Promise<void>;
}

/**
 * Puts the adapters together. Nothing is read, loaded or asked here.
 *
 * @param spool where artifacts go; without one no door makes or stores any
 */
export function createPlatform(settings: Settings, env: Environment, spool?: ArtifactSpool): Platform {
  const kube = createKubeAdapters(
    {
      kubeconfig: settings.kubeconfig,
      serviceHost: env.KUBERNETES_SERVICE_HOST,
      servicePort: env.KUBERNETES_SERVICE_PORT,
    },
    spool,
  );
  return {
    adapters: allAdapters(kube.adapters),
    lookups: kube.lookups,
    contexts: { aws: notThere, k8snode: notThere },
    init: new Map([['kubernetes', kube.init]]),
    close: async () => {
      await kube.close();
    },
  };
}

const notThere = async (): Promise<ContextAnswer> => ({ values: new Map(), problems: ['not there in this version'] });

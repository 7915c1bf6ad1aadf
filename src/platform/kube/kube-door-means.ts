import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { KubeClient, ObjectName } from './kube-client.ts';
import type { CaptureSettings } from './kube-config.ts';

/** The doors that lead to a Kubernetes API server. */
export type KubeDoors = AdaptersOf<
  'pods' | 'captures' | 'nodes' | 'networkpolicies' | 'calico' | 'cilium' | 'objects' | 'events'
>;

/** What the doors have in common. */
export interface KubeDoorMeans {
  readonly open: () => KubeClient;
  /** The pod that Talon itself runs in, where it does and knows it. */
  readonly self: () => ObjectName | undefined;
  readonly spool: ArtifactSpool | undefined;
  /** Networks that no policy is to deny. */
  readonly protectedCidrs: readonly string[];
  readonly captures: CaptureSettings;
  /** What is left to be done when a step has ended. It must not fail; the end of the adapters waits for it. */
  readonly finish: (work: Promise<void>) => void;
}

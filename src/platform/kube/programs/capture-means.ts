import type { KubeDoorMeans } from '../kube-door-means.ts';
import type { PodLookups } from '../pod-lookups.ts';

/** What captures need. */
export type CaptureMeans = Pick<KubeDoorMeans, 'open' | 'self' | 'captures' | 'finish'> & { readonly pods: PodLookups };

/** The container that a capture asks for. */
export interface CaptureContainer {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent';
  /** It only waits for what it is told to run, and ends by itself. */
  readonly command: readonly string[];
}

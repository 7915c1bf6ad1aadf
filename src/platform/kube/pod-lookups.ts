import type { V1Pod } from '@kubernetes/client-node';
import { podNotFound } from '../../model/kube-names.ts';
import type { PodTarget } from '../../model/targets.ts';
import type { KubeClient } from './kube-client.ts';
import { whenMissing } from './when-missing.ts';

/** What was found out of pods, for as long as their step lasts: its doors share one lookup. */
export class PodLookups {
  readonly #found = new WeakMap<PodTarget, Promise<V1Pod>>();

  find(client: KubeClient, pod: PodTarget, signal: AbortSignal): Promise<V1Pod> {
    const known = this.#found.get(pod);
    if (known) return known;
    const lookup = client.readPod(pod, signal).catch(whenMissing(() => podNotFound(pod)));
    this.#found.set(pod, lookup);
    lookup.catch(() => this.#found.delete(pod));
    return lookup;
  }

  /** The UID that the reference carries, or that of the pod that now has the name. */
  async uid(client: KubeClient, pod: PodTarget, signal: AbortSignal): Promise<string> {
    return pod.uid ?? (await this.find(client, pod, signal)).metadata?.uid ?? '';
  }
}

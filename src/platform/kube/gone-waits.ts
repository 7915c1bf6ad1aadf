import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DoorError } from '../../model/door-error.ts';
import type { KubeClient, ObjectName } from './kube-client.ts';
import { KubeRefusal } from './kube-refusal.ts';
import type { WatchedChange } from './kube-watch.ts';

/** The very pod that is waited for: one of the same name with another UID is its successor. */
export interface AwaitedPod extends ObjectName {
  readonly uid: string;
}

/** Milliseconds between two tries to watch. */
const RETRY = 1000;

/** Waits for pods to be gone, with one watch for each namespace, shared by all that wait there. */
export class GoneWaits {
  readonly #watches = new Map<string, NamespaceWatch>();

  /**
   * Resolves with true as soon as the pod is gone, with false when the time is over.
   *
   * @throws DoorError when nobody can tell: the API server did not answer lately, or refuses to
   */
  async gone(client: KubeClient, pod: AwaitedPod, withinMs: number, signal: AbortSignal): Promise<boolean> {
    const watch = this.#watches.get(pod.namespace) ?? new NamespaceWatch(client, pod.namespace);
    this.#watches.set(pod.namespace, watch);
    const waiter = watch.join(pod);
    const timer = setTimeout(() => waiter.end(watch.failure ?? false), withinMs);
    const giveUp = () => waiter.end(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      signal.throwIfAborted();
      // Only now, so that nothing is missed between this look and the watch.
      const found = await lookUp(client, pod, signal);
      if (found === undefined) return true;
      watch.start(found);
      return await waiter.ended;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      if (watch.leave(waiter)) this.#watches.delete(pod.namespace);
    }
  }
}

/** The resource version of the pod; undefined if it is gone. */
async function lookUp(client: KubeClient, pod: AwaitedPod, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { metadata } = await client.readPod(pod, signal);
    return metadata?.uid === pod.uid ? (metadata.resourceVersion ?? '') : undefined;
  } catch (error) {
    if (error instanceof KubeRefusal && error.gone) return undefined;
    throw error;
  }
}

class Waiter {
  readonly pod: AwaitedPod;
  readonly ended: Promise<boolean>;
  /** The first end counts: whether the pod is gone, or why nobody can tell. */
  readonly end: (end: boolean | Error) => void;

  constructor(pod: AwaitedPod) {
    const { promise, resolve, reject } = withResolvers<boolean>();
    this.pod = pod;
    this.ended = promise;
    this.end = (end) => (typeof end === 'boolean' ? resolve(end) : reject(end));
    // Nobody listens to it when the pod was gone at the first look.
    promise.catch(() => undefined);
  }
}

class NamespaceWatch {
  /** Why the watch is broken at the moment. */
  failure: DoorError | undefined;
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #waiters = new Set<Waiter>();
  readonly #over = new AbortController();
  #started = false;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
    // Every request of the watch listens to it.
    setMaxListeners(0, this.#over.signal);
  }

  join(pod: AwaitedPod): Waiter {
    const waiter = new Waiter(pod);
    this.#waiters.add(waiter);
    return waiter;
  }

  /** @returns whether nobody waits any more; then the watch is over */
  leave(waiter: Waiter): boolean {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return false;
    this.#over.abort();
    return true;
  }

  /** Begins to watch, from a resource version on, if that has not begun yet. */
  start(resourceVersion: string): void {
    if (this.#started) return;
    this.#started = true;
    void this.#run(resourceVersion);
  }

  async #run(first: string): Promise<void> {
    const { signal } = this.#over;
    let version = first;
    while (!signal.aborted) {
      try {
        const changes = await this.#client.watchPods(this.#namespace, version, signal);
        await this.#lookForAll(signal);
        this.failure = undefined;
        for await (const change of changes) version = this.#see(change);
      } catch (error) {
        if (signal.aborted) return;
        const tooOld = error instanceof KubeRefusal && error.status === 410 && version !== '';
        if (tooOld) version = '';
        else await this.#pause(error as DoorError);
      }
    }
  }

  /** What was gone before the watch was open, it does not show. */
  async #lookForAll(signal: AbortSignal): Promise<void> {
    const look = async (waiter: Waiter) => {
      if ((await lookUp(this.#client, waiter.pod, signal)) === undefined) waiter.end(true);
    };
    await Promise.all([...this.#waiters].map(look));
  }

  /** @returns the resource version from which a watch can go on */
  #see({ type, object: { metadata } }: WatchedChange): string {
    for (const { pod, end } of this.#waiters) {
      const isIt = metadata.uid === pod.uid;
      const replaced = metadata.name === pod.name && metadata.uid !== undefined && !isIt;
      if (replaced || (isIt && type === 'DELETED')) end(true);
    }
    return metadata.resourceVersion;
  }

  /** What is refused stays refused; anything else may pass while the pods are waited for. */
  async #pause(error: DoorError): Promise<void> {
    this.failure = error;
    if (error.code === 'refused') for (const waiter of this.#waiters) waiter.end(error);
    await sleep(RETRY, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

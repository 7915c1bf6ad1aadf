import type { TestNamespace } from './cluster/test-namespace.ts';

/** When labels became visible to everybody who watches the pods of a namespace. */
export class LabelTimes {
  readonly #seen = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();
  #endWatch: (() => void) | undefined;

  async watch(namespace: TestNamespace): Promise<void> {
    this.#endWatch = await namespace.watchPods(({ object, at }) => {
      for (const [label, value] of Object.entries(object.metadata.labels ?? {})) {
        const key = keyOf(object.metadata.name, label, value);
        if (this.#seen.has(key)) continue;
        this.#seen.set(key, at);
        this.#waiting.get(key)?.(at);
      }
    });
  }

  /** `performance.now()` when the label with this value is first seen on the pod. To be asked once for each of them. */
  until(pod: string, label: string, value: string, { timeout = 30_000 } = {}): Promise<number> {
    const key = keyOf(pod, label, value);
    const at = this.#seen.get(key);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited ${timeout} ms for the label ${key}`)), timeout);
      this.#waiting.set(key, (seenAt) => {
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve(seenAt);
      });
    });
  }

  end(): void {
    this.#endWatch?.();
  }
}

function keyOf(pod: string, label: string, value: string): string {
  return `${pod} ${label}=${value}`;
}

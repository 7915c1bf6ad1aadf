import type { TestNamespace } from './cluster/test-namespace.ts';
import { waitUntil } from './cluster/wait-until.ts';

/** When labels became visible to everybody who watches the pods of a namespace. */
export class LabelTimes {
  readonly #seen = new Map<string, number>();
  #endWatch: (() => void) | undefined;

  async watch(namespace: TestNamespace): Promise<void> {
    this.#endWatch = await namespace.watchPods(({ object, at }) => {
      for (const [label, value] of Object.entries(object.metadata.labels ?? {})) {
        const key = keyOf(object.metadata.name, label, value);
        if (!this.#seen.has(key)) this.#seen.set(key, at);
      }
    });
  }

  /** `performance.now()` when the label with this value was first seen on the pod. */
  at(pod: string, label: string, value: string): number | undefined {
    return this.#seen.get(keyOf(pod, label, value));
  }

  until(pod: string, label: string, value: string, { timeout = 30_000 } = {}): Promise<number> {
    return waitUntil(`the label ${label}=${value} on ${pod}`, () => this.at(pod, label, value), {
      timeout,
      interval: 5,
    });
  }

  end(): void {
    this.#endWatch?.();
  }
}

function keyOf(pod: string, label: string, value: string): string {
  return `${pod} ${label}=${value}`;
}

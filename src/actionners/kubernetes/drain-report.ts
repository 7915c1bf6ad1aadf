import { DoorError } from '../../model/door-error.ts';
import type { ActionResult } from '../../model/outcome.ts';
import type { NodeRef, PodRef } from '../../model/references.ts';

/** What may go wrong with a pod, in the words of Falco Talon's sentences. */
const KINDS = { eviction: 'eviction_errors', wait: 'wait_errors', other: 'other_errors' } as const;
type Kind = keyof typeof KINDS;

/** Characters: a fact of an outcome is no longer than 300. */
const LONGEST_REASON = 160;
const LONGEST_FACT = 300;

/** The pods of which one thing was said. */
interface Stayed {
  readonly first: string;
  pods: number;
}

/** What became of the pods of a node that are not simply gone. */
export class DrainReport {
  ignored = 0;
  /** By what was said of pods. */
  readonly #errors: Readonly<Record<Kind, Map<string, Stayed>>> = {
    eviction: new Map(),
    wait: new Map(),
    other: new Map(),
  };

  /** @param reason for people */
  add(kind: Kind, { namespace, name }: PodRef, reason: string): void {
    const reasons = this.#errors[kind];
    const shortened = reason.slice(0, LONGEST_REASON);
    const known = reasons.get(shortened);
    if (known) known.pods += 1;
    else reasons.set(shortened, { first: `${namespace}/${name}`, pods: 1 });
  }

  /**
   * Falco Talon's sentence; beside it, in the objects, which pods stayed and why, as far as there is room.
   *
   * @throws DoorError of code `refused` where anything went wrong that is not to be ignored
   */
  outcome(node: NodeRef, ignoresErrors: boolean): ActionResult {
    const [evictions, waits, others] = [this.#count('eviction'), this.#count('wait'), this.#count('other')];
    const objects = { node: node.name, ...this.#facts() };
    if (!ignoresErrors && evictions + waits + others > 0) {
      const what = `${this.ignored} pods ignored, ${evictions} eviction errors, ${waits} were not evicted during max_wait_period, ${others} other errors`;
      throw new DoorError('refused', `the node '${node.name}' has not been fully drained: ${what}`, { objects });
    }
    // Falco Talon says that errors are ignored where there are none, too.
    const what = `${this.ignored} ignored pods, ${evictions} eviction errors, ${others} other errors`;
    const output = `the node '${node.name}' has been drained, errors are ignored: ${what}`;
    return { status: 'success', output, objects };
  }

  #count(kind: Kind): number {
    return [...this.#errors[kind].values()].reduce((sum, { pods }) => sum + pods, 0);
  }

  #facts(): Readonly<Record<string, string>> {
    const facts = Object.entries(KINDS).map(([kind, name]) => [name, factOf(this.#errors[kind as Kind])]);
    return Object.fromEntries(facts.filter(([, fact]) => fact !== ''));
  }
}

/** Each reason with the first of its pods: there may be many pods, and all may have the same reason. */
function factOf(reasons: ReadonlyMap<string, Stayed>): string {
  const said = [...reasons].map(([reason, { first, pods }]) => {
    const whose = pods === 1 ? first : `${first} and ${pods - 1} more`;
    return `${whose}: ${reason}`;
  });
  const fact = said.join('; ');
  return fact.length <= LONGEST_FACT ? fact : `${fact.slice(0, LONGEST_FACT - 1)}…`;
}

import { once } from 'node:events';
import type { ContextAnswer, ContextSources } from '../model/context-sources.ts';
import { namespace, podName } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import { startDeadline } from './deadline.ts';

/** Milliseconds for which an answer holds. Neither a node nor a machine of a cloud changes much. */
const FRESH = 60_000;
/** The same of one with problems: a service that hangs is not to hold up each action of an alert storm. */
const FRESH_PROBLEM = 5_000;
/** Milliseconds for one context. */
const PATIENCE = 5_000;
const MOST_ANSWERS = 1_000;

/** What is wrong with one context of an action. */
export interface ContextProblem {
  readonly context: string;
  readonly error: string;
}

/** What an action is told of its surroundings, as far as it could be had. */
export interface AdditionalContexts {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly ContextProblem[];
}

/**
 * Fetches the `additional_contexts` of actions. What is found out of a node or an instance is kept for a minute; on which node a pod
 * runs is asked each time, since another pod may have its name by now. Where a part fails the rest is used, and no failure keeps the
 * action from being run.
 */
export class Contexts {
  readonly #sources: ContextSources;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly answer: ContextAnswer; readonly until: number }>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(sources: ContextSources, now: () => number) {
    this.#sources = sources;
    this.#now = now;
  }

  /** Later names overwrite what earlier ones brought. */
  async of(names: readonly string[], event: FalcoEvent, signal: AbortSignal): Promise<AdditionalContexts> {
    const answers = await Promise.all(names.map((name) => this.#inTime(name, event, signal)));
    const values = new Map<string, string>();
    const problems: ContextProblem[] = [];
    for (const [index, answer] of answers.entries()) {
      for (const [key, value] of answer.values) values.set(key, value);
      for (const error of answer.problems) problems.push({ context: names[index] ?? '', error });
    }
    return { values, problems };
  }

  /** The answer in time, whether or not the source heeds its signal. */
  async #inTime(name: string, event: FalcoEvent, outer: AbortSignal): Promise<ContextAnswer> {
    const deadline = startDeadline(outer, PATIENCE);
    try {
      const late = once(deadline.signal, 'abort').then(() => Promise.reject(new Error('no answer in time')));
      return await Promise.race([this.#answer(name, event, deadline.signal), late]);
    } catch (error) {
      outer.throwIfAborted();
      return { values: new Map(), problems: [error instanceof Error ? error.message : String(error)] };
    } finally {
      deadline.end();
    }
  }

  async #answer(name: string, event: FalcoEvent, signal: AbortSignal): Promise<ContextAnswer> {
    const { aws, k8snode } = this.#sources;
    switch (name) {
      case 'aws':
        return this.#kept(name, () => aws(signal));
      case 'k8snode': {
        const pod = { name: podName(event) ?? '', namespace: namespace(event) ?? '' };
        const node = await k8snode.nodeOf(pod, signal);
        return this.#kept(`${name}/${node}`, async () => ({ values: await k8snode.facts(node, signal), problems: [] }));
      }
      default:
        throw new Error(`unknown context '${name}'`);
    }
  }

  /** One with problems is kept for a moment only. */
  async #kept(key: string, ask: () => Promise<ContextAnswer>): Promise<ContextAnswer> {
    const known = this.#answers.get(key);
    if (known && known.until > this.#now()) return known.answer;
    const answer = await ask();
    this.#keep(key, answer, answer.problems.length === 0 ? FRESH : FRESH_PROBLEM);
    return answer;
  }

  #keep(key: string, answer: ContextAnswer, milliseconds: number): void {
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MOST_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.delete(key);
    this.#answers.set(key, { answer, until: this.#now() + milliseconds });
  }
}

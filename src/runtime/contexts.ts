import { once } from 'node:events';
import type { ContextAnswer, ContextSources } from '../model/context-sources.ts';
import { namespace, podName } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import { isNamespaceName, isObjectName, podNotFound } from '../model/kube-names.ts';
import { startDeadline } from './deadline.ts';

/** Milliseconds for which an answer holds. Neither a node nor a machine of a cloud changes much. */
const FRESH = 60_000;
/** Milliseconds for one context. */
const PATIENCE = 5_000;
const MOST_ANSWERS = 1_000;

interface PodName {
  readonly name: string;
  readonly namespace: string;
}

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
 * Fetches the `additional_contexts` of actions. An answer without problems is kept for a minute; where a part of one fails the
 * rest of it is used, and no failure keeps the action from being run.
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
    const answers = await Promise.all(names.map((name) => this.#answer(name, event, signal)));
    const values = new Map<string, string>();
    const problems: ContextProblem[] = [];
    for (const [index, answer] of answers.entries()) {
      for (const [key, value] of answer.values) values.set(key, value);
      for (const error of answer.problems) problems.push({ context: names[index] ?? '', error });
    }
    return { values, problems };
  }

  async #answer(name: string, event: FalcoEvent, signal: AbortSignal): Promise<ContextAnswer> {
    const pod = { name: podName(event) ?? '', namespace: namespace(event) ?? '' };
    const key = name === 'k8snode' ? `${name}/${pod.namespace}/${pod.name}` : name;
    const known = this.#answers.get(key);
    if (known && known.until > this.#now()) return known.answer;
    const answer = await this.#ask(name, pod, signal);
    if (answer.problems.length === 0) this.#keep(key, answer);
    return answer;
  }

  /** The answer in time, whether or not the source heeds its signal. */
  async #ask(name: string, pod: PodName, outer: AbortSignal): Promise<ContextAnswer> {
    const deadline = startDeadline(outer, PATIENCE);
    try {
      const late = once(deadline.signal, 'abort').then(() => Promise.reject(new Error('no answer in time')));
      return await Promise.race([this.#source(name, pod, deadline.signal), late]);
    } catch (error) {
      outer.throwIfAborted();
      return { values: new Map(), problems: [error instanceof Error ? error.message : String(error)] };
    } finally {
      deadline.end();
    }
  }

  async #source(name: string, pod: PodName, signal: AbortSignal): Promise<ContextAnswer> {
    switch (name) {
      case 'aws':
        return this.#sources.aws(signal);
      case 'k8snode':
        if (isObjectName(pod.name) && isNamespaceName(pod.namespace)) return this.#sources.k8snode(pod, signal);
        throw podNotFound(pod);
      default:
        throw new Error(`unknown context '${name}'`);
    }
  }

  #keep(key: string, answer: ContextAnswer): void {
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MOST_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.delete(key);
    this.#answers.set(key, { answer, until: this.#now() + FRESH });
  }
}

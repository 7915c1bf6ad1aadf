/** What a source of additional contexts answered: what it found out, and what it could not. Neither excludes the other. */
export interface ContextAnswer {
  /** By the keys of the context, such as `aws.region`; never empty texts. */
  readonly values: ReadonlyMap<string, string>;
  /** Texts for people, Falco Talon's where those are fixed. */
  readonly problems: readonly string[];
}

/** The sources that `additional_contexts` of an action names. They throw nothing for a fault of the outside world. */
export interface ContextSources {
  /** The instance that Talon itself runs on. */
  aws(signal: AbortSignal): Promise<ContextAnswer>;
  /** The node that a pod runs on. */
  k8snode(pod: { readonly name: string; readonly namespace: string }, signal: AbortSignal): Promise<ContextAnswer>;
}

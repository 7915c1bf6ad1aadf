/** What a source of additional contexts answered: what it found out, and what it could not. Neither excludes the other. */
export interface ContextAnswer {
  /** By the keys of the context, such as `aws.region`; never empty texts. */
  readonly values: ReadonlyMap<string, string>;
  /** Texts for people, Falco Talon's where those are fixed. */
  readonly problems: readonly string[];
}

/** The nodes of a cluster. Two questions, since an answer to the second one holds for longer. */
export interface NodeSource {
  /** Name of the node that the pod of that name runs on now. @throws DoorError with a text for people */
  nodeOf(pod: { readonly name: string; readonly namespace: string }, signal: AbortSignal): Promise<string>;
  /** What is known of a node, by the keys of the context. @throws DoorError with a text for people */
  facts(node: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
}

/** The sources that `additional_contexts` of an action names. */
export interface ContextSources {
  /** The instance that Talon itself runs on. It throws nothing for a fault of the outside world. */
  aws(signal: AbortSignal): Promise<ContextAnswer>;
  readonly k8snode: NodeSource;
}

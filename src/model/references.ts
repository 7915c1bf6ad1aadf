/**
 * A reference to a target. Plain data: the broker looks up `ref` among those it minted for the step and ignores the
 * rest, so that a forged name reaches nothing.
 */
export interface Ref<K extends string> {
  readonly kind: K;
  readonly ref: number;
  readonly name: string;
}
export interface PodRef extends Ref<'pod'> {
  readonly namespace: string;
}
/** A container of a pod, or an ephemeral one that a capture made. */
export interface ContainerRef extends Ref<'container'> {}
export interface NodeRef extends Ref<'node'> {}
/** The pods that are made alike: those of a controller, or one pod alone. Its selector never comes to a plug-in. */
export interface WorkloadRef extends Ref<'workload'> {
  readonly namespace: string;
}
/** The object that an alert of the Kubernetes audit log is about. */
export interface ObjectRef extends Ref<'object'> {
  /** Plural, lower case: `deployments`. */
  readonly resource: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
}
/** What a Kubernetes event is about: the object that was acted on, or nothing that is known (empty name). */
export interface SubjectRef extends Ref<'subject'> {
  readonly namespace: string;
}
/** A function of a cloud. What it is sent is the alert, which the broker adds. */
export interface FunctionRef extends Ref<'function'> {}
/** A place for artifacts. Its name is the bucket or the folder. */
export interface StoreRef extends Ref<'store'> {
  /** Of keys: empty, or with one `/` at its end. */
  readonly prefix: string;
  /** Of a bucket, where the rule or the settings say; empty otherwise. */
  readonly region: string;
}
/** An HTTP endpoint of the rules or the configuration. Its name is the host: the rest of the URL may be secret. */
export interface EndpointRef extends Ref<'endpoint'> {}
/** A mail server with sender and receivers. */
export interface MailboxRef extends Ref<'mailbox'> {}
/** Bytes that a door made. They never come to a plug-in. */
export interface ArtifactRef extends Ref<'artifact'> {
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly mediaType: string;
}

import type {
  ArtifactRef,
  ContainerRef,
  EndpointRef,
  FunctionRef,
  MailboxRef,
  NodeRef,
  ObjectRef,
  PodRef,
  StoreRef,
  SubjectRef,
  WorkloadRef,
} from './references.ts';

/** What controls a pod; null for a standalone pod. Kinds other than these three count as `other`. */
export interface Owner {
  readonly kind: 'DaemonSet' | 'StatefulSet' | 'ReplicaSet' | 'other';
  readonly name: string;
}

/** How many replicas a ReplicaSet wants, and how many of them are ready. */
export interface Replicas {
  readonly wanted: number;
  readonly ready: number;
}

/** A pod of a node, with what decides whether somebody may want to evict it. */
export interface NodePod {
  readonly pod: PodRef;
  /** Kind of what controls it; null for a standalone pod. */
  readonly ownerKind: Owner['kind'] | null;
  /** The kubelet runs it from a file; the API server shows it and cannot end it. */
  readonly mirror: boolean;
  /** Talon itself runs in it. */
  readonly self: boolean;
}

/** Whether a pod was evicted. Where it was not, as a disruption budget forbids it now, how long to wait before asking again. */
export type Eviction = { readonly evicted: true } | { readonly evicted: false; readonly retryAfterMs: number };

/** Labels or annotations to set, or with null to remove. */
export type LabelChanges = Readonly<Record<string, string | null>>;

/** How a program in a container ended. */
export interface Execution {
  /** Exit code. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the program wrote more than is kept (128 KiB of its output, 16 KiB of its errors). */
  readonly truncated: boolean;
}

/** How a program ended whose output is an artifact. */
export interface Capture {
  readonly code: number;
  readonly stderr: string;
  /** Null where the exit code is not 0. */
  readonly artifact: ArtifactRef | null;
}

/** A container made for a capture on a node, and the job that it belongs to. */
export interface NodeCapture {
  readonly container: ContainerRef;
  readonly job: string;
}

/** What pods may still connect to. */
export type NetworkPeer = { readonly cidr: string } | { readonly namespace: string };

/** What became of a network policy. It has the name of the workload unless somebody else's policy has that name. */
export interface PolicyChange {
  readonly name: string;
  readonly change: 'created' | 'updated';
}

/** Who else may be connected to when an address is denied. Undefined and empty are not the same: the latter allows nobody. */
export interface AllowedPeers {
  readonly cidrs?: readonly string[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
}

/** How a function of AWS is to be called. */
export interface Invocation {
  readonly qualifier: string;
  readonly type: 'RequestResponse' | 'Event' | 'DryRun';
}

/** What a function answered. */
export interface Invoked {
  /** As HTTP has it. */
  readonly status: number;
  /** At most 256 KiB. */
  readonly body: string;
  /** What the function itself failed with, if it did. */
  readonly error?: string | undefined;
}

/** Codes of HTTP from the first to the second. */
export type StatusRange = readonly [least: number, most: number];

/** A request to an endpoint; what is secret in it, the broker adds. */
export interface HttpRequest {
  readonly method: string;
  /** Below the URL of the endpoint; `/` and what follows. */
  readonly path?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Undefined: none is sent. */
  readonly body?: string | undefined;
  /** Milliseconds to wait for the answer, and for each part of it: 10 s if it does not say. */
  readonly timeoutMs?: number | undefined;
  /** Bytes of the body of the answer that are wanted: 256 KiB if it does not say, and no more. */
  readonly wantedBytes?: number | undefined;
  /**
   * Statuses with which the endpoint did what is asked, each from the first to the second. All others are failures of the door then,
   * so that another try asks again. Undefined: every answer is one.
   */
  readonly expected?: readonly StatusRange[] | undefined;
}

/** The answer of an endpoint, whatever its status unless the request says. */
export interface HttpAnswer {
  readonly status: number;
  /** `500 Internal Server Error`. */
  readonly statusLine: string;
  /** As much of it as is wanted; empty where it was kept as an artifact. */
  readonly body: string;
  readonly artifact: ArtifactRef | null;
  /** Milliseconds that the endpoint asks to be left alone for. */
  readonly retryAfterMs?: number | undefined;
}

/** A mail; sender and receivers are those of its mailbox. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html?: string | undefined;
}

/** What a Kubernetes event says. */
export interface KubeEvent {
  readonly type: 'Normal' | 'Warning';
  /** At most 128 bytes. */
  readonly reason: string;
  /** At most 128 bytes. */
  readonly action: string;
  /** At most 1,024 bytes. */
  readonly message: string;
}

/** Facts that are stored beside an artifact, for the chain of custody. */
export type ArtifactFacts = Readonly<Record<string, string>>;

/**
 * The doors: all that a plug-in can do to the world. Arguments are references, never names. A door is narrow on purpose,
 * since RBAC cannot tell a label patch from an image patch.
 */
export interface Doors {
  'pods.label': (pod: PodRef, labels: LabelChanges) => Promise<void>;
  'pods.annotate': (pod: PodRef, annotations: LabelChanges) => Promise<void>;
  /** Deletes the very pod that was looked up before (precondition on its UID). Seconds of grace, 0 kills at once. */
  'pods.delete': (pod: PodRef, graceSeconds: number) => Promise<void>;
  /** The UID of the pod that the reference means. */
  'pods.uid': (pod: PodRef) => Promise<string>;
  'pods.owner': (pod: PodRef) => Promise<Owner | null>;
  /** Of the ReplicaSet that owns the pod. Refused for a pod of another owner. */
  'pods.replicas': (pod: PodRef) => Promise<Replicas>;
  /**
   * Asks for the eviction of the very pod that the reference means, with the grace period of the pod. A pod that is gone
   * already, or has a successor of the same name, counts as evicted.
   */
  'pods.evict': (pod: PodRef) => Promise<Eviction>;
  /** Waits until the very pod is gone, at most so many milliseconds. Whether it is. */
  'pods.gone': (pod: PodRef, withinMs: number) => Promise<boolean>;
  /** Its containers in the order of its specification, without those that only start it and those of captures. */
  'pods.containers': (pod: PodRef) => Promise<readonly ContainerRef[]>;
  /** The ids under which the runtime knows its containers, without the `runtime://` before them. */
  'pods.containerIds': (pod: PodRef) => Promise<readonly string[]>;
  /** What the pod is one of. Null where it has no owner of a known kind, or no labels to be told by. */
  'pods.workload': (pod: PodRef) => Promise<WorkloadRef | null>;
  /** The last lines that a container wrote, at most 60,000 characters. */
  'pods.logs': (container: ContainerRef, tailLines: number) => Promise<string>;
  /** The same as an artifact of the name `log`. */
  'pods.keepLogs': (container: ContainerRef, tailLines: number) => Promise<ArtifactRef>;
  /**
   * Runs a program without a terminal. What it can read is `stdin`, of which it has to know the length: no end follows, unless
   * there is nothing at all.
   */
  'pods.exec': (container: ContainerRef, program: readonly string[], stdin: string) => Promise<Execution>;
  /** Runs a program whose output becomes an artifact of that name and media type. */
  'pods.capture': (
    container: ContainerRef,
    program: readonly string[],
    artifact: { readonly name: string; readonly mediaType: string },
  ) => Promise<Capture>;
  /** Adds an ephemeral container that may see the packets of the pod, and waits until it runs. It ends by itself. */
  'captures.inPod': (pod: PodRef, image: string, ttlSeconds: number) => Promise<ContainerRef>;
  /** Runs a privileged container on the node of the pod, in Talon's own namespace. It is removed when the step ends. */
  'captures.onNode': (pod: PodRef, image: string, ttlSeconds: number) => Promise<NodeCapture>;
  'nodes.ofPod': (pod: PodRef) => Promise<NodeRef>;
  /** All pods on a node, in no order. Refused for more than 1,000. */
  'nodes.pods': (node: NodeRef) => Promise<readonly NodePod[]>;
  'nodes.label': (node: NodeRef, labels: LabelChanges) => Promise<void>;
  'nodes.annotate': (node: NodeRef, annotations: LabelChanges) => Promise<void>;
  /** Keeps new pods from it. */
  'nodes.cordon': (node: NodeRef) => Promise<void>;
  /** Lets a workload connect to these peers alone: to nobody when there are none. */
  'networkpolicies.apply': (workload: WorkloadRef, peers: readonly NetworkPeer[]) => Promise<PolicyChange>;
  /** Adds an address to those that a workload may not connect to (Calico). */
  'calico.deny': (workload: WorkloadRef, ip: string, allowed: AllowedPeers, order: number) => Promise<PolicyChange>;
  /** The same with Cilium. */
  'cilium.deny': (workload: WorkloadRef, ip: string, allowed: AllowedPeers) => Promise<PolicyChange>;
  'objects.uid': (object: ObjectRef) => Promise<string>;
  'objects.delete': (object: ObjectRef) => Promise<void>;
  /** Calls a function of AWS with the alert. */
  'lambda.invoke': (called: FunctionRef, how: Invocation) => Promise<Invoked>;
  /** Calls a function of Google Cloud with the alert. At most so many seconds; 0: no limit of its own. */
  'functions.call': (called: FunctionRef, timeoutSeconds: number) => Promise<Invoked>;
  /** Sends a request; with `keep` the body of the answer becomes an artifact of the name `response`. */
  'http.send': (endpoint: EndpointRef, request: HttpRequest, keep: boolean) => Promise<HttpAnswer>;
  'mail.send': (mailbox: MailboxRef, mail: Mail) => Promise<void>;
  'events.create': (subject: SubjectRef, event: KubeEvent) => Promise<void>;
  /** Whether artifacts can be stored there; throws for what is certainly not there, and lets through what nobody may ask. */
  'stores.check': (store: StoreRef) => Promise<void>;
  /** Writes an artifact as a file. The path of it. */
  'files.put': (store: StoreRef, artifact: ArtifactRef, key: string) => Promise<string>;
  /** Puts an artifact into a bucket, under the prefix of the store. */
  's3.put': (store: StoreRef, artifact: ArtifactRef, key: string, facts: ArtifactFacts) => Promise<void>;
  'minio.put': (store: StoreRef, artifact: ArtifactRef, key: string, facts: ArtifactFacts) => Promise<void>;
  'gcs.put': (store: StoreRef, artifact: ArtifactRef, key: string, facts: ArtifactFacts) => Promise<void>;
}
export type Door = keyof Doors;

import { type AuditRecord, readAudit } from './audit-log.ts';
import { NODES } from './control-plane.ts';
import type { KubeApi, KubeObject, WatchEvent } from './kube-api.ts';
import { waitUntil } from './wait-until.ts';

/** The kinds of owners that a pod can have here. */
export type WorkloadKind = 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet';

const CONTAINERS = [{ name: 'main', image: 'registry.example/app:1' }];

/** One namespace and what a test puts into it. Pods are bound to the first fake node, where they run at once. */
export class TestNamespace {
  readonly name: string;
  readonly #api: KubeApi;
  readonly #auditLog: string;

  constructor(name: string, api: KubeApi, auditLog: string) {
    this.name = name;
    this.#api = api;
    this.#auditLog = auditLog;
  }

  /** The path of the namespace's pods, or of one. */
  pods(name?: string): string {
    return `/api/v1/namespaces/${this.name}/pods${name === undefined ? '' : `/${name}`}`;
  }

  /** Makes a standalone pod, and waits until it runs unless told not to. */
  async pod(name: string, { labels, run = true, node = NODES[0], spec }: PodOptions = {}): Promise<KubeObject> {
    const pod = await this.#api.must('POST', this.pods(), {
      metadata: { name, ...(labels === undefined ? {} : { labels }) },
      spec: { containers: CONTAINERS, ...(run ? { nodeName: node } : {}), ...spec },
    });
    return run ? this.#untilRunning(name) : pod;
  }

  /** Makes an owner with its pods, waits until all of them are ready, and returns them. A DaemonSet has one pod. */
  async workload(kind: WorkloadKind, name: string, replicas = 1): Promise<readonly KubeObject[]> {
    const labels = { app: name };
    await this.#api.must('POST', `/apis/apps/v1/namespaces/${this.name}/${kind.toLowerCase()}s`, {
      metadata: { name },
      spec: {
        selector: { matchLabels: labels },
        ...(kind === 'DaemonSet' ? {} : { replicas }),
        ...(kind === 'StatefulSet' ? { serviceName: name, podManagementPolicy: 'Parallel' } : {}),
        template: { metadata: { labels }, spec: { containers: CONTAINERS, nodeName: NODES[0] } },
      },
    });
    const wanted = kind === 'DaemonSet' ? 1 : replicas;
    return waitUntil(`${wanted} running pods of the ${kind} ${name}`, async () => {
      const pods = await this.podsOf(name);
      return pods.length === wanted && pods.every(({ status }) => status?.phase === 'Running') && pods;
    });
  }

  /** The pods that an owner made by `workload` has now. */
  podsOf(name: string): Promise<readonly KubeObject[]> {
    return this.#api.list(`${this.pods()}?labelSelector=app%3D${name}`);
  }

  /** Waits until the ReplicaSet that owns the pod counts that many ready replicas; returns the ReplicaSet's name. */
  async untilReady(pod: KubeObject, ready: number): Promise<string> {
    const owner = pod.metadata.ownerReferences?.[0]?.name ?? '';
    const path = `/apis/apps/v1/namespaces/${this.name}/replicasets/${owner}`;
    await waitUntil(`${owner} to have ${ready} ready replicas`, async () => {
      const status = (await this.#api.find(path))?.status;
      return (status?.readyReplicas ?? 0) === ready;
    });
    return owner;
  }

  /** Makes a running pod fail its readiness, without being restarted. */
  async unready(pod: KubeObject): Promise<void> {
    const patch = { status: { conditions: [{ type: 'Ready', status: 'False' }] } };
    const path = `${this.pods(pod.metadata.name)}/status`;
    await this.#api.must('PATCH', path, patch, 'application/strategic-merge-patch+json');
  }

  /** Gives the container of a running pod an id such as runtimes give. */
  async setContainerId(pod: string, id: string): Promise<void> {
    const status = { name: 'main', containerID: `containerd://${id}`, ready: true, restartCount: 0 };
    const containerStatuses = [{ ...status, image: 'registry.example/app:1', imageID: 'registry.example/app:1' }];
    const path = `${this.pods(pod)}/status`;
    await this.#api.must('PATCH', path, { status: { containerStatuses } }, 'application/strategic-merge-patch+json');
  }

  find(pod: string): Promise<KubeObject | undefined> {
    return this.#api.find(this.pods(pod));
  }

  /** The labels of a pod; undefined when it has no labels at all, or does not exist. */
  async labels(pod: string): Promise<Readonly<Record<string, string>> | undefined> {
    return (await this.find(pod))?.metadata.labels;
  }

  /** Whether this very pod, and not one of the same name, is gone or going. */
  async isGone({ metadata: { name, uid } }: KubeObject): Promise<boolean> {
    const now = await this.find(name);
    return now === undefined || now.metadata.uid !== uid || now.metadata.deletionTimestamp !== undefined;
  }

  /** Makes a service account and returns a token for it. */
  async token(serviceAccount: string): Promise<string> {
    const path = `/api/v1/namespaces/${this.name}/serviceaccounts`;
    await this.#api.must('POST', path, { metadata: { name: serviceAccount } });
    const request = await this.#api.must('POST', `${path}/${serviceAccount}/token`, { spec: {} });
    return String(request.status?.token);
  }

  watchPods(onEvent: (event: WatchEvent) => void): Promise<() => void> {
    return this.#api.watch(this.pods(), onEvent);
  }

  /** What the product asked of the API server in this namespace, oldest first. */
  audit(): readonly AuditRecord[] {
    return readAudit(this.#auditLog, this.name);
  }

  #untilRunning(name: string): Promise<KubeObject> {
    let pod: KubeObject | undefined;
    return waitUntil(
      `the pod ${name} to run`,
      async () => {
        pod = await this.find(name);
        return pod?.status?.phase === 'Running' && pod;
      },
      { timeout: 30_000, describe: () => `its status: ${JSON.stringify(pod?.status)}` },
    );
  }
}

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** False leaves the pod unbound, so it stays pending. */
  readonly run?: boolean;
  /** The node that it runs on; the first one if it is left out. */
  readonly node?: string;
  /** More of its spec, or something else. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

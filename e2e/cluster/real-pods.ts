import { basename, dirname } from 'node:path';
import { type ExecResult, execInPod } from './exec-in-pod.ts';
import type { KubeObject } from './kube-api.ts';
import { image, REAL_NODE } from './real-node.ts';
import type { TestNamespace } from './test-namespace.ts';
import type { RealCluster } from './use-real-cluster.ts';

/** What runs in a pod that only waits. As the first process of a container it ends at SIGTERM because it asks to. */
export const WAITING = ['sh', '-c', "trap 'exit 0' TERM; sleep infinity & wait"];

/** One namespace on a real node, with pods that really run. */
export class RealPods {
  readonly namespace: TestNamespace;
  readonly #cluster: RealCluster;

  constructor(cluster: RealCluster, namespace: TestNamespace) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  /** Starts a pod with one container `main` of the image `app`, and waits until it runs. */
  start(
    name: string,
    command: readonly string[] = WAITING,
    spec: Readonly<Record<string, unknown>> = {},
  ): Promise<KubeObject> {
    const containers = [{ name: 'main', image: image('app'), command }];
    return this.namespace.pod(name, { node: REAL_NODE, spec: { containers, enableServiceLinks: false, ...spec } });
  }

  /** Starts a pod that writes what its script prints to a file of the machine, since the log of a pod goes with it. */
  startWriting(name: string, script: string, file: string): Promise<KubeObject> {
    const output = basename(file);
    const command = ['sh', '-c', `exec > "/output/${output}"; ${script}`];
    const volumeMounts = [{ name: 'output', mountPath: '/output' }];
    return this.start(name, command, {
      containers: [{ name: 'main', image: image('app'), command, volumeMounts }],
      volumes: [{ name: 'output', hostPath: { path: dirname(file), type: 'Directory' } }],
    });
  }

  /** What the container has printed so far. */
  async log(pod: string, container = 'main'): Promise<string> {
    return this.#cluster.api.must<string>('GET', `${this.namespace.pods(pod)}/log?container=${container}`);
  }

  /** Runs a command in the container, as an administrator. */
  exec(pod: string, command: readonly string[], input?: string, container = 'main'): Promise<ExecResult> {
    const kubeconfig = this.#cluster.kubeconfig(this.#cluster.plane.address.admin);
    return execInPod({ kubeconfig, namespace: this.namespace.name, pod, container }, command, input);
  }

  /** The address of a running pod, which only other pods can reach. */
  async address(pod: string): Promise<string> {
    return String((await this.namespace.find(pod))?.status?.podIP);
  }
}

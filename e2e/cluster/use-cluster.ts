import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { KubeApi, type KubeCredentials } from './kube-api.ts';
import { kubeconfig } from './kubeconfig.ts';
import { TestNamespace } from './test-namespace.ts';
import { waitUntil } from './wait-until.ts';

/** The rights that acting on pods and nodes takes, as the doors' price list has them, and nothing more. */
export const TALON_RIGHTS: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['patch'] },
  { apiGroups: ['apps'], resources: ['replicasets', 'daemonsets', 'statefulsets'], verbs: ['get'] },
];

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface UserSubject {
  readonly kind: 'User';
  readonly name: string;
}
export interface ServiceAccountSubject {
  readonly kind: 'ServiceAccount';
  readonly name: string;
  readonly namespace: string;
}

/** The cluster of one test file. Its parts can be used inside tests and hooks, once it is up. */
export class Cluster {
  #plane: ControlPlane | undefined;
  #api: KubeApi | undefined;

  async start(options: ControlPlaneOptions): Promise<void> {
    this.#plane = await startControlPlane(options);
    this.#api = new KubeApi(this.plane.address.server, this.plane.address.admin);
    await this.allow({ kind: 'User', name: 'talon' }, TALON_RIGHTS);
  }

  async stop(): Promise<void> {
    this.#api?.close();
    await this.#plane?.stop();
  }

  get plane(): ControlPlane {
    if (this.#plane === undefined) throw new Error('the cluster is not up yet: use it inside a test or a hook');
    return this.#plane;
  }

  /** Calls as an administrator. */
  get api(): KubeApi {
    if (this.#api === undefined) throw new Error('the cluster is not up yet: use it inside a test or a hook');
    return this.#api;
  }

  /** The text of a kubeconfig file of the user `talon`, or of whom the credentials say. */
  kubeconfig(credentials?: KubeCredentials): string {
    const { server, talon } = this.plane.address;
    return kubeconfig(server, credentials ?? talon);
  }

  /** Makes a namespace of a fresh name. */
  async namespace(prefix: string): Promise<TestNamespace> {
    const name = `${prefix}-${randomBytes(3).toString('hex')}`;
    await this.api.must('POST', '/api/v1/namespaces', { metadata: { name } });
    return new TestNamespace(name, this.api, this.plane.address.auditLog);
  }

  /** Gives rights in the whole cluster and waits until the API server grants them. */
  async allow(subject: UserSubject | ServiceAccountSubject, rules: readonly PolicyRule[]): Promise<void> {
    const name = `e2e-${randomBytes(3).toString('hex')}`;
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await this.api.must('POST', `${rbac}/clusterroles`, { metadata: { name }, rules });
    await this.api.must('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [subject.kind === 'User' ? { ...subject, apiGroup: 'rbac.authorization.k8s.io' } : subject],
    });
    const last = rules.at(-1);
    if (last !== undefined) await this.#waitUntilAllowed(subject, last);
  }

  async #waitUntilAllowed(subject: UserSubject | ServiceAccountSubject, rule: PolicyRule): Promise<void> {
    const user = subject.kind === 'User' ? subject.name : `system:serviceaccount:${subject.namespace}:${subject.name}`;
    const resourceAttributes = { group: rule.apiGroups[0], resource: rule.resources[0], verb: rule.verbs[0] };
    await waitUntil(`${user} to have its rights`, async () => {
      const review = await this.api.must('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec: { user, resourceAttributes },
      });
      return review.status?.allowed === true;
    });
  }
}

/** Starts a cluster for the test file that calls it, and ends it after its last test. */
export function useCluster(options: ControlPlaneOptions = {}): Cluster {
  const cluster = new Cluster();
  beforeAll(() => cluster.start(options));
  afterAll(() => cluster.stop());
  return cluster;
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { countVerbs } from './cluster/audit-log.ts';
import { NODES } from './cluster/control-plane.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace, WorkloadKind } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { grantedTo } from './granted-rights.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

function rule(name: string, parameters: string): string {
  return `
- rule: Isolate ${name}
  match: {rules: ["${name}"]}
  actions:
    - action: Isolate the workload
      actionner: kubernetes:networkpolicy
      parameters: ${parameters}
`;
}

const RULES = [
  rule('all', '{}'),
  rule('empty', '{allow_cidr: [], allow_namespaces: []}'),
  rule('networks', '{allow_cidr: [10.0.0.0/8, "fd00::/8"]}'),
  rule('both', '{allow_cidr: [192.168.1.0/24], allow_namespaces: [green-ns, blue-ns]}'),
].join('');

describe('kubernetes:networkpolicy', () => {
  const cluster = useCluster();
  let talon: Talon;

  beforeAll(async () => {
    const { kubeconfig } = await grantedTo(cluster, 'isolator', RULES);
    talon = await startTalon({ rules: RULES, kubeconfig });
  });
  afterAll(() => talon?.stop());

  const policiesIn = ({ name }: TestNamespace) =>
    cluster.api.list(`/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`);
  const policy = (namespace: TestNamespace, name: string) =>
    cluster.api.find(`/apis/networking.k8s.io/v1/namespaces/${namespace.name}/networkpolicies/${name}`);

  /** The whole object, with what the API server adds. */
  function whole(namespace: TestNamespace, name: string, labels: Readonly<Record<string, string>>, egress?: object[]) {
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: {
        name,
        namespace: namespace.name,
        labels: { ...labels, 'app.k8s.io/managed-by': 'falco-talon' },
        annotations: { 'falco-talon/rules': expect.any(String) },
        uid: expect.any(String),
        resourceVersion: expect.any(String),
        generation: expect.any(Number),
        creationTimestamp: expect.any(String),
        managedFields: [expect.objectContaining({ manager: 'falco-talon' })],
      },
      spec: { policyTypes: ['Egress'], podSelector: { matchLabels: labels }, ...(egress && { egress }) },
    };
  }

  it('denies a standalone pod all egress, by all of its labels', async () => {
    const namespace = await cluster.namespace('isolate');
    const labels = { app: 'web', 'app.kubernetes.io/name': 'shop', tier: '' };
    await namespace.pod('web', { labels: { ...labels, 'pod-template-hash': 'abc' } });
    const result = await talon.result(podAlert('all', namespace.name, 'web'));
    expect(result).toMatchObject({
      level: 'info',
      status: 'success',
      output: `the networkpolicy 'web' in the namespace '${namespace.name}' has been created`,
      pod: 'web',
      namespace: namespace.name,
      networkpolicy: 'web',
    });
    expect(await policy(namespace, 'web')).toEqual(whole(namespace, 'web', labels));
    expect(countVerbs(namespace.audit())).toEqual({ get: 2, create: 1 });
  });

  it('says updated of a policy that is there, and writes only what changed', async () => {
    const namespace = await cluster.namespace('isolate-again');
    await namespace.pod('web', { labels: { app: 'web' } });
    for (const name of ['empty', 'all', 'networks', 'networks', 'both']) {
      const result = await talon.result(podAlert(name, namespace.name, 'web'));
      const change = name === 'empty' ? 'created' : 'updated';
      expect(result.output).toBe(`the networkpolicy 'web' in the namespace '${namespace.name}' has been ${change}`);
      expect(result.networkpolicy).toBe('web');
    }
    const ofNamespace = (name: string) => ({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
    });
    const to = [{ ipBlock: { cidr: '192.168.1.0/24' } }, ofNamespace('green-ns'), ofNamespace('blue-ns')];
    expect(await policy(namespace, 'web')).toEqual(whole(namespace, 'web', { app: 'web' }, [{ to }]));
    expect(await policiesIn(namespace)).toHaveLength(1);
    expect(countVerbs(namespace.audit())).toMatchObject({ create: 1, update: 2 });
  });

  it.each<WorkloadKind>(['DaemonSet', 'StatefulSet', 'ReplicaSet', 'Deployment'])(
    'has the name and the selector of a %s',
    async (kind) => {
      const namespace = await cluster.namespace('isolate-owner');
      const [pod] = await namespace.workload(kind, 'set');
      await talon.result(podAlert('networks', namespace.name, pod!.metadata.name));
      const to = [{ ipBlock: { cidr: '10.0.0.0/8' } }, { ipBlock: { cidr: 'fd00::/8' } }];
      expect(await policy(namespace, 'set')).toEqual(whole(namespace, 'set', { app: 'set' }, [{ to }]));
    },
  );

  it('keeps the name over a roll-out', async () => {
    const namespace = await cluster.namespace('isolate-rollout');
    const [old] = await namespace.workload('Deployment', 'set');
    await talon.result(podAlert('all', namespace.name, old!.metadata.name));
    const template = { metadata: { annotations: { rolled: 'out' } } };
    await cluster.api.mergePatch(`/apis/apps/v1/namespaces/${namespace.name}/deployments/set`, { spec: { template } });
    const successor = await waitUntil('a pod of the next roll-out', async () =>
      (await namespace.podsOf('set')).find(
        ({ metadata, status }) => metadata.name !== old?.metadata.name && status?.phase === 'Running',
      ),
    );
    expect(successor.metadata.ownerReferences).not.toEqual(old?.metadata.ownerReferences);
    const result = await talon.result(podAlert('networks', namespace.name, successor.metadata.name));
    expect(result.output).toBe(`the networkpolicy 'set' in the namespace '${namespace.name}' has been updated`);
    expect((await policiesIn(namespace)).map(({ metadata }) => metadata.name)).toEqual(['set']);
  });

  it.each([
    ['without labels', undefined],
    ['with labels of a revision alone', { 'controller-revision-hash': 'x' }],
  ])('fails for a standalone pod %s', async (_, labels) => {
    const namespace = await cluster.namespace('isolate-bare');
    await namespace.pod('web', labels ? { labels } : {});
    await expectUnknown(namespace, 'web');
  });

  it('fails for a pod of a job', async () => {
    const namespace = await cluster.namespace('isolate-job');
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x.example/y:1' }] } };
    const path = `/apis/batch/v1/namespaces/${namespace.name}/jobs`;
    const { metadata } = await cluster.api.must<KubeObject>('POST', path, {
      metadata: { name: 'job' },
      spec: { template },
    });
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: metadata.uid, controller: true };
    await cluster.api.must('POST', namespace.pods(), {
      metadata: { name: 'job-1', labels: { app: 'job' }, ownerReferences: [owner] },
      spec: { ...template.spec, nodeName: NODES[0] },
    });
    await expectUnknown(namespace, 'job-1');
  });

  async function expectUnknown(namespace: TestNamespace, pod: string) {
    const result = await talon.result(podAlert('all', namespace.name, pod));
    expect(result).toMatchObject({
      level: 'error',
      status: 'failure',
      error: `can't find the owner and/or labels for the pod '${pod}' in namespace '${namespace.name}'`,
    });
    expect(await policiesIn(namespace)).toEqual([]);
  }

  it('leaves the policy of somebody else alone, and takes another name', async () => {
    const namespace = await cluster.namespace('isolate-foreign');
    await namespace.pod('web', { labels: { app: 'web' } });
    const path = `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/networkpolicies`;
    const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{}] };
    const foreign = await cluster.api.must('POST', path, { metadata: { name: 'web' }, spec });
    const result = await talon.result(podAlert('all', namespace.name, 'web'));
    expect(result).toMatchObject({
      output: `the networkpolicy 'web-falco-talon' in the namespace '${namespace.name}' has been created`,
      networkpolicy: 'web-falco-talon',
    });
    expect(await policy(namespace, 'web')).toEqual(foreign);
    expect(await policy(namespace, 'web-falco-talon')).toEqual(whole(namespace, 'web-falco-talon', { app: 'web' }));
    await cluster.api.mergePatch(`${path}/web-falco-talon`, {
      metadata: { labels: { 'app.k8s.io/managed-by': 'gitops' } },
    });
    expect(await talon.result(podAlert('all', namespace.name, 'web'))).toMatchObject({
      status: 'failure',
      error: expect.stringContaining('are not managed by falco-talon'),
    });
  });

  it('keeps rules, ingress and annotations of others in its own policy', async () => {
    const namespace = await cluster.namespace('isolate-merge');
    await namespace.pod('web', { labels: { app: 'web' } });
    await talon.result(podAlert('networks', namespace.name, 'web'));
    const path = `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/networkpolicies/web`;
    const dns = { ports: [{ protocol: 'UDP', port: 53 }], to: [{ namespaceSelector: {} }] };
    const ingress = [{ from: [{ podSelector: { matchLabels: { app: 'front' } } }] }];
    const written = (await cluster.api.find(path))?.spec?.egress as object[];
    await cluster.api.mergePatch(path, {
      metadata: { annotations: { owner: 'blue-team' } },
      spec: { policyTypes: ['Egress', 'Ingress'], ingress, egress: [dns, ...written] },
    });
    await talon.result(podAlert('all', namespace.name, 'web'));
    const found = await cluster.api.find(path);
    expect(found?.metadata).toMatchObject({ annotations: { owner: 'blue-team' } });
    expect(found?.spec).toEqual({
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Egress', 'Ingress'],
      ingress,
      egress: [dns],
    });
  });

  it('says that the pod does not exist', async () => {
    const namespace = await cluster.namespace('isolate-gone');
    expect(await talon.result(podAlert('all', namespace.name, 'web'))).toMatchObject({
      status: 'failure',
      error: `the pod 'web' in the namespace '${namespace.name}' doesn't exist`,
    });
  });
});

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { type Granted, grantedTo, misfits } from './granted-rights.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** The objects that `kubernetes:delete` ends, with what makes one of them. */
const DELETABLE: Readonly<Record<string, { readonly api: string; readonly body: Readonly<Record<string, unknown>> }>> =
  {
    namespaces: { api: '/api/v1', body: {} },
    configmaps: { api: '/api/v1', body: {} },
    secrets: { api: '/api/v1', body: {} },
    services: { api: '/api/v1', body: { spec: { ports: [{ port: 80 }] } } },
    serviceaccounts: { api: '/api/v1', body: {} },
    deployments: { api: '/apis/apps/v1', body: { spec: workloadSpec() } },
    replicasets: { api: '/apis/apps/v1', body: { spec: workloadSpec() } },
    daemonsets: { api: '/apis/apps/v1', body: { spec: workloadSpec() } },
    statefulsets: { api: '/apis/apps/v1', body: { spec: { ...workloadSpec(), serviceName: 'x' } } },
    roles: { api: '/apis/rbac.authorization.k8s.io/v1', body: {} },
    clusterroles: { api: '/apis/rbac.authorization.k8s.io/v1', body: {} },
  };
const IN_NO_NAMESPACE = ['namespaces', 'clusterroles'];

function workloadSpec() {
  const labels = { app: 'to-be-deleted' };
  const containers = [{ name: 'main', image: 'registry.example/app:1' }];
  return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
}

/** Everything that needs no real node. What runs programs in pods is tried where it is tested. */
describe('the rights that an actionner names are those that it takes', () => {
  const cluster = useCluster();
  let namespace: TestNamespace;
  let granted: Granted;
  let talon: Talon;

  beforeAll(async () => {
    namespace = await cluster.namespace('rights');
  });
  afterEach(() => talon?.stop());

  it('kubernetes:label', async () => {
    await namespace.pod('label');
    await start('label', [{ labels: { seen: 'true' } }, { level: 'node', labels: { seen: 'true' } }]);
    await succeed('label-0', 'label');
    await succeed('label-1', 'label');
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:annotation', async () => {
    await namespace.pod('annotation');
    await start('annotation', [{ annotations: { seen: 'true' } }, { level: 'node', annotations: { seen: 'true' } }]);
    await succeed('annotation-0', 'annotation');
    await succeed('annotation-1', 'annotation');
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:terminate', async () => {
    const [pod] = await namespace.workload('ReplicaSet', 'terminate', 2);
    await namespace.untilReady(pod!, 2);
    await start('terminate', [{ min_healthy_replicas: '1', ignore_standalone_pods: true }]);
    await succeed('terminate-0', pod!.metadata.name);
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:cordon', async () => {
    await namespace.pod('cordon', { node: 'node-1' });
    await start('cordon', [{}]);
    await succeed('cordon-0', 'cordon');
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:networkpolicy', async () => {
    await start('networkpolicy', [{}, { allow_cidr: ['10.0.0.0/8'] }]);
    for (const kind of ['Deployment', 'DaemonSet', 'StatefulSet'] as const) {
      const [pod] = await namespace.workload(kind, `policy-${kind.toLowerCase()}`);
      await succeed('networkpolicy-0', pod!.metadata.name);
      await succeed('networkpolicy-1', pod!.metadata.name);
    }
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:delete', async () => {
    await start('delete', [{}]);
    for (const [resource, { api, body }] of Object.entries(DELETABLE)) {
      const name = `to-be-deleted-${resource}`;
      const within = IN_NO_NAMESPACE.includes(resource) ? '' : `/namespaces/${namespace.name}`;
      await cluster.api.must('POST', `${api}${within}/${resource}`, { metadata: { name }, ...body });
      const target = { 'ka.target.resource': resource, 'ka.target.name': name, 'ka.target.namespace': namespace.name };
      const alert = alertBody({ rule: 'delete-0', source: 'k8s_audit', fields: target });
      expect(await talon.result(alert), resource).toMatchObject({ status: 'success' });
    }
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  it('kubernetes:drain', async () => {
    const elsewhere = await cluster.namespace('rights-drain');
    await elsewhere.pod('suspect');
    await cluster.api.mergePatch(elsewhere.pods('suspect'), { metadata: { finalizers: ['e2e.example/stays'] } });
    await elsewhere.workload('ReplicaSet', 'drained');
    await start('drain', [{ max_wait_period: 20, min_healthy_replicas: '100%' }]);
    const result = talon.result(podAlert('drain-0', elsewhere.name, 'suspect'), { timeout: 60_000 });
    // It goes only when somebody has waited for it.
    await waitUntil('the pod to be waited for', () => granted.audit().some(({ verb }) => verb === 'watch'));
    await cluster.api.mergePatch(elsewhere.pods('suspect'), { metadata: { finalizers: null } });
    expect(await result).toMatchObject({ status: 'success' });
    expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
  });

  /** Starts a server with one rule for each set of parameters: `label-0`, `label-1`. */
  async function start(actionner: string, parameters: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const rules = parameters.map((each, index) => ({
      rule: `${actionner}-${index}`,
      match: { rules: [`${actionner}-${index}`] },
      actions: [{ action: actionner, actionner: `kubernetes:${actionner}`, parameters: each }],
    }));
    const text = JSON.stringify(rules);
    granted = await grantedTo(cluster, `only-${actionner}`, text);
    talon = await startTalon({ rules: text, kubeconfig: granted.kubeconfig });
  }

  async function succeed(rule: string, pod: string): Promise<void> {
    expect(await talon.result(podAlert(rule, namespace.name, pod))).toMatchObject({ status: 'success' });
  }
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeAdapters, type KubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { alertBody } from './alert.ts';
import type { AuditRecord } from './cluster/audit-log.ts';
import { readAudit } from './cluster/audit-log.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- rule: Delete
  match: {rules: [delete]}
  actions:
    - action: Delete the object
      actionner: kubernetes:delete
`;

/** A path where objects of a kind are, and what one is made of. */
interface Kind {
  readonly api: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly clustered?: true;
}

const labels = { app: 'suspicious' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] } };
const workload = { spec: { selector: { matchLabels: labels }, template } };
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const KINDS: Readonly<Record<string, Kind>> = {
  namespaces: { api: '/api/v1', clustered: true },
  configmaps: { api: '/api/v1', body: { data: { a: 'b' } } },
  secrets: { api: '/api/v1', body: { stringData: { a: 'b' } } },
  services: { api: '/api/v1', body: { spec: { ports: [{ port: 80 }] } } },
  serviceaccounts: { api: '/api/v1' },
  deployments: { api: '/apis/apps/v1', body: workload },
  daemonsets: { api: '/apis/apps/v1', body: workload },
  statefulsets: { api: '/apis/apps/v1', body: { spec: { ...workload.spec, serviceName: 'x' } } },
  replicasets: { api: '/apis/apps/v1', body: workload },
  roles: { api: RBAC },
  clusterroles: { api: RBAC, clustered: true },
};

describe('kubernetes:delete', () => {
  const cluster = useCluster();
  let namespace: TestNamespace;
  let talon: Talon;
  let folder: string;
  let kube: KubeAdapters;

  beforeAll(async () => {
    namespace = await cluster.namespace('delete');
    await cluster.allow({ kind: 'User', name: 'talon' }, [
      { apiGroups: ['', 'apps', 'rbac.authorization.k8s.io'], resources: Object.keys(KINDS), verbs: ['delete'] },
    ]);
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    folder = makeScratch();
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig());
    kube = createKubeAdapters({ kubeconfig: join(folder, 'kubeconfig') });
    await kube.init();
  });
  afterAll(async () => {
    await talon?.stop();
    await kube?.close();
    removeScratch(folder);
  });

  const alert = (resource: string, name: string, where = namespace.name) =>
    alertBody({
      rule: 'delete',
      source: 'k8s_audit',
      fields: { 'ka.target.resource': resource, 'ka.target.name': name, 'ka.target.namespace': where },
    });
  const pathOf = (resource: string) => {
    const { api, clustered } = KINDS[resource]!;
    return `${api}${clustered ? '' : `/namespaces/${namespace.name}`}/${resource}`;
  };
  const deletions = (): readonly AuditRecord[] =>
    readAudit(cluster.plane.address.auditLog).filter(
      ({ verb, user, requestURI }) => verb === 'delete' && user.username === 'talon' && !requestURI.includes('dryRun'),
    );

  it.each(Object.keys(KINDS))('deletes one of %s, with one request', async (resource) => {
    const name = `suspicious-${resource}`;
    const { body = {}, clustered } = KINDS[resource]!;
    await cluster.api.must('POST', pathOf(resource), { metadata: { name }, ...body });
    await cluster.api.must('POST', pathOf(resource), { metadata: { name: `${name}-not` }, ...body });
    const before = deletions().length;
    const shown = clustered ? '' : namespace.name;
    const where = resource === 'namespaces' ? '' : ` in the namespace '${shown}'`;
    const result = await talon.result(alert(resource, name));
    expect(result).toMatchObject({
      status: 'success',
      output: `the ${resource.slice(0, -1)} '${name}'${where} has been deleted`,
      name,
      resource,
    });
    expect(result.namespace ?? '').toBe(shown);
    await waitUntil('the object to be gone', async () => !(await cluster.api.find(`${pathOf(resource)}/${name}`)));
    const other = await cluster.api.find(`${pathOf(resource)}/${name}-not`);
    expect(other?.metadata).not.toHaveProperty('deletionTimestamp');
    expect(deletions().slice(before)).toMatchObject([{ objectRef: { resource, name }, responseStatus: { code: 200 } }]);
  });

  it.each(Object.keys(KINDS))(
    'leaves one of %s alone that has only the name of the one that is meant',
    async (resource) => {
      const name = `successor-${resource}`;
      const { body = {}, clustered } = KINDS[resource]!;
      const made = await cluster.api.must<KubeObject>('POST', pathOf(resource), { metadata: { name }, ...body });
      const object = { kind: 'object', resource, name, namespace: clustered ? '' : namespace.name } as const;
      const { signal } = new AbortController();
      expect(await kube.adapters['objects.uid'](object, signal)).toBe(made.metadata.uid);
      const other = { ...object, uid: '00000000-0000-4000-8000-000000000000' };
      await expect(kube.adapters['objects.delete'](other, signal)).rejects.toMatchObject({ replaced: true });
      const still = await cluster.api.find(`${pathOf(resource)}/${name}`);
      expect(still?.metadata).toMatchObject({ uid: made.metadata.uid });
      expect(still?.metadata).not.toHaveProperty('deletionTimestamp');
    },
  );

  it('takes the pods of a workload with it', async () => {
    const pods = await namespace.workload('Deployment', 'web', 2);
    expect((await talon.result(alert('deployments', 'web'))).status).toBe('success');
    await waitUntil('the pods to be gone', async () =>
      (await Promise.all(pods.map((pod) => namespace.isGone(pod)))).every(Boolean),
    );
  });

  it.each(Object.keys(KINDS))('says that there is none such among %s', async (resource) => {
    const shown = KINDS[resource]!.clustered ? '' : namespace.name;
    const where = resource === 'namespaces' ? '' : ` in the namespace '${shown}'`;
    expect(await talon.result(alert(resource, 'nothing'))).toMatchObject({
      status: 'failure',
      error: `the ${resource.slice(0, -1)} 'nothing'${where} doesn't exist`,
    });
  });

  it.each(['pods', 'nodes', 'jobs', 'deployment', 'Secrets', 'secrets/x', '../secrets', 'constructor', ''])(
    'deletes nothing of the kind %j',
    async (resource) => {
      const before = deletions().length;
      expect(await talon.result(alert(resource, 'web'))).toMatchObject({ status: 'failure' });
      expect(deletions()).toHaveLength(before);
    },
  );

  it('deletes nothing by a name that leads elsewhere', async () => {
    await cluster.api.must('POST', pathOf('secrets'), { metadata: { name: 'kept' } });
    const before = deletions().length;
    for (const name of ['../secrets/kept', 'x?y', '.', '..', 'a/../kept', 'kept%2f', 'KEPT', 'kept?dryRun=All']) {
      expect(await talon.result(alert('secrets', name))).toMatchObject({ status: 'failure' });
      expect(await talon.result(alert('roles', name))).toMatchObject({ status: 'failure' });
    }
    const asked = deletions().slice(before);
    expect(asked.filter(({ objectRef }) => objectRef?.resource !== 'roles')).toEqual([]);
    expect(asked.map(({ responseStatus }) => responseStatus?.code)).toEqual(asked.map(() => 404));
    expect(await cluster.api.find(`${pathOf('secrets')}/kept`)).toBeDefined();
  });

  it('deletes a cluster role with a colon in its name', async () => {
    const name = 'system:suspicious';
    await cluster.api.must('POST', pathOf('clusterroles'), { metadata: { name } });
    expect(await talon.result(alert('clusterroles', name))).toMatchObject({
      status: 'success',
      output: `the clusterrole '${name}' in the namespace '' has been deleted`,
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { countVerbs } from './cluster/audit-log.ts';
import { NODES } from './cluster/control-plane.ts';
import { useCluster } from './cluster/use-cluster.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- rule: Quarantine
  match: {rules: [set]}
  actions:
    - action: Label as quarantined
      actionner: kubernetes:label
      parameters:
        labels: {quarantine: "true", security.example/owner: blue-team}
- rule: Release
  match: {rules: [change]}
  actions:
    - action: Change the labels
      actionner: kubernetes:label
      parameters:
        labels: {app: "", absent: "", quarantine: "false"}
- rule: Clear
  match: {rules: [remove]}
  actions:
    - action: Remove a label
      actionner: kubernetes:label
      parameters:
        labels: {app: ""}
- rule: Mark the node
  match: {rules: [node]}
  actions:
    - action: Label the node
      actionner: kubernetes:label
      parameters:
        level: node
        labels: {suspicious: "true"}
- rule: Rehearse
  match: {rules: [rehearse]}
  dry_run: true
  actions:
    - action: Only say it
      actionner: kubernetes:label
      parameters:
        labels: {quarantine: "true"}
`;

describe('kubernetes:label', () => {
  const cluster = useCluster();
  let talon: Talon;

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
  });
  afterAll(() => talon?.stop());

  it('sets labels and leaves the others, with one request', async () => {
    const namespace = await cluster.namespace('label');
    await namespace.pod('web', { labels: { app: 'web' } });
    await talon.handle(podAlert('set', namespace.name, 'web'));
    expect(await namespace.labels('web')).toEqual({
      app: 'web',
      quarantine: 'true',
      'security.example/owner': 'blue-team',
    });
    expect(countVerbs(namespace.audit())).toEqual({ patch: 1 });
  });

  it('logs the event, the match, the start and the end of the action', async () => {
    const namespace = await cluster.namespace('label-log');
    await namespace.pod('web');
    const output = 'Shell "bash" opened by root';
    const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': 'web' };
    const lines = await talon.handle(alertBody({ rule: 'set', output, fields }));
    const event = { level: 'info', event: 'set', priority: 'Notice', source: 'syscall', output };
    const action = {
      level: 'info',
      rule: 'Quarantine',
      event: output,
      action: 'Label as quarantined',
      actionner: 'kubernetes:label',
    };
    const common = {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/),
      trace_id: expect.any(String),
    };
    expect(lines).toEqual([
      { ...event, ...common, message: 'event' },
      { ...event, ...common, rule: 'Quarantine', message: 'match' },
      { ...action, ...common, status: 'in_progress', message: 'action' },
      {
        ...action,
        ...common,
        status: 'success',
        output: `the pod 'web' in the namespace '${namespace.name}' has been labeled`,
        pod: 'web',
        namespace: namespace.name,
        message: 'action',
      },
    ]);
  });

  it('counts the event, the match and the action', async () => {
    const namespace = await cluster.namespace('label-metrics');
    await namespace.pod('web');
    const before = await Promise.all(['events', 'matches'].map((what) => total(what, { event: 'set' })));
    await talon.handle(podAlert('set', namespace.name, 'web'));
    await talon.handle(podAlert('set', namespace.name, 'web'));
    const after = await Promise.all(['events', 'matches'].map((what) => total(what, { event: 'set' })));
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([2, 2]);
    const labels = {
      rule: 'Quarantine',
      event: 'set',
      action: 'Label as quarantined',
      actionner: 'kubernetes:label',
      status: 'success',
      pod: 'web',
      namespace: namespace.name,
    };
    expect(await total('actions', labels)).toBe(2);
  });

  it('removes, changes and sets in one step, absent labels included', async () => {
    const namespace = await cluster.namespace('label-change');
    await namespace.pod('web', { labels: { app: 'web', quarantine: 'true', tier: 'front' } });
    const result = await talon.result(podAlert('change', namespace.name, 'web'));
    expect(result.status).toBe('success');
    expect(await namespace.labels('web')).toEqual({ quarantine: 'false', tier: 'front' });
    expect(countVerbs(namespace.audit())).toEqual({ patch: 1 });
  });

  it('labels a pod that has no labels', async () => {
    const namespace = await cluster.namespace('label-none');
    await namespace.pod('bare');
    await talon.handle(podAlert('set', namespace.name, 'bare'));
    expect(await namespace.labels('bare')).toEqual({ quarantine: 'true', 'security.example/owner': 'blue-team' });
  });

  it('removes nothing from a pod that has no labels', async () => {
    const namespace = await cluster.namespace('label-nothing');
    await namespace.pod('bare');
    const result = await talon.result(podAlert('remove', namespace.name, 'bare'));
    expect(result.status).toBe('success');
    expect(await namespace.labels('bare')).toBeUndefined();
  });

  it('labels the node of the pod', async () => {
    const namespace = await cluster.namespace('label-node');
    await namespace.pod('web');
    const result = await talon.result(podAlert('node', namespace.name, 'web'));
    expect(result).toMatchObject({
      status: 'success',
      node: NODES[0],
      output: `the node '${NODES[0]}' has been labeled`,
    });
    expect((await cluster.api.find(`/api/v1/nodes/${NODES[0]}`))?.metadata.labels).toMatchObject({
      suspicious: 'true',
    });
    expect((await cluster.api.find(`/api/v1/nodes/${NODES[1]}`))?.metadata.labels ?? {}).not.toHaveProperty(
      'suspicious',
    );
    expect(await namespace.labels('web')).toBeUndefined();
    expect(countVerbs(namespace.audit())).toEqual({ get: 1 });
  });

  it('finds the pod in an alert from the audit log', async () => {
    const namespace = await cluster.namespace('label-audit');
    await namespace.pod('web');
    const fields = { 'ka.target.namespace': namespace.name, 'ka.target.name': 'web' };
    await talon.handle(alertBody({ rule: 'set', source: 'k8s_audit', fields }));
    expect(await namespace.labels('web')).toMatchObject({ quarantine: 'true' });
  });

  it('asks nothing of the API server in a dry run', async () => {
    const namespace = await cluster.namespace('label-dry');
    await namespace.pod('web');
    const result = await talon.result(podAlert('rehearse', namespace.name, 'web'));
    expect(result).toMatchObject({ level: 'info', output: 'no action, dry-run is enabled' });
    expect(result).not.toHaveProperty('status');
    expect(namespace.audit()).toEqual([]);
  });

  it('turns every rule into a dry run by TALON_DRY_RUN', async () => {
    const namespace = await cluster.namespace('label-dry-env');
    await namespace.pod('web');
    const dry = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig(), env: { TALON_DRY_RUN: 'true' } });
    const result = await dry.result(podAlert('set', namespace.name, 'web'));
    expect(result.output).toBe('no action, dry-run is enabled');
    expect(await dry.stop()).toBe(0);
    expect(namespace.audit()).toEqual([]);
  });

  it.each([
    ['pod name', { 'k8s.ns.name': 'default' }, 'missing pod name'],
    ['namespace', { 'k8s.pod.name': 'web' }, 'missing namespace'],
  ])('says that an alert has no %s', async (_, fields, error) => {
    expect(await talon.result(alertBody({ rule: 'set', fields }))).toMatchObject({
      level: 'error',
      status: 'failure',
      error,
    });
  });

  async function total(what: string, labels: Readonly<Record<string, string>>): Promise<number> {
    const samples = await talon.metric(`falcosecurity_falco_talon_${what}_total`, labels);
    return samples.reduce((sum, { value }) => sum + value, 0);
  }
});

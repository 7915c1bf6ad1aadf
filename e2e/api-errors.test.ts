import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { isResult, type Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const RULES = `
- action: Label
  actionner: kubernetes:label
  parameters:
    labels: {quarantine: "true"}
- action: Label wrongly
  actionner: kubernetes:label
  parameters:
    labels: {quarantine: "not a label value!"}

- rule: Label
  match: {rules: [label, both]}
  actions:
    - action: Label
- rule: Terminate
  match: {rules: [terminate]}
  actions:
    - action: Terminate
      actionner: kubernetes:terminate
- rule: Label wrongly
  match: {rules: [invalid, both]}
  actions:
    - action: Label wrongly
    - action: Label
- rule: Label wrongly and go on
  match: {rules: [tolerant]}
  actions:
    - action: Label wrongly
      ignore_errors: "true"
    - action: Label
- rule: Label wrongly and end there
  match: {rules: [last]}
  continue: "false"
  actions:
    - action: Label wrongly
      ignore_errors: "true"
      continue: "false"
    - action: Label
- rule: After the others
  match: {rules: [invalid, last]}
  actions:
    - action: Label as seen
      actionner: kubernetes:label
      parameters:
        labels: {seen: "true"}
`;

describe('what the API server refuses', () => {
  const cluster = useCluster({ workloads: false });
  let talon: Talon;

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
  });
  afterAll(() => talon?.stop());

  it.each(['label', 'terminate'])('says that the pod does not exist: %s', async (rule) => {
    const namespace = await cluster.namespace('absent');
    const result = await talon.result(podAlert(rule, namespace.name, 'nobody'));
    expect(result).toMatchObject({
      level: 'error',
      status: 'failure',
      error: `the pod 'nobody' in the namespace '${namespace.name}' doesn't exist`,
    });
  });

  it('says the same of a pod in a namespace that does not exist', async () => {
    const result = await talon.result(podAlert('label', 'no-such-namespace', 'nobody'));
    expect(result.error).toBe("the pod 'nobody' in the namespace 'no-such-namespace' doesn't exist");
  });

  it('gives the reason for which a label is invalid', async () => {
    const namespace = await pending('invalid');
    const [result] = (await talon.handle(podAlert('invalid', namespace.name, 'web'))).filter(isResult);
    expect(result).toMatchObject({ level: 'error', status: 'failure' });
    expect(result?.error).toContain('not a label value!');
    expect(result?.error).toContain('a valid label must be');
    expect(result?.error).not.toContain("doesn't exist");
  });

  it('gives the message of a conflict', async () => {
    const namespace = await pending('conflict');
    const message = 'somebody else is changing this pod';
    const hook = await interpose(cluster, namespace, 'UPDATE', async () => ({
      allowed: false,
      status: { code: 409, reason: 'Conflict', message },
    }));
    const result = await talon.result(podAlert('label', namespace.name, 'web'));
    await hook.close();
    expect(result).toMatchObject({ level: 'error', status: 'failure', error: expect.stringContaining(message) });
    expect(await namespace.labels('web')).toBeUndefined();
  });

  it('says who may not do what', async () => {
    const namespace = await pending('forbidden');
    const reader = { kind: 'ServiceAccount', name: 'reader', namespace: namespace.name } as const;
    await cluster.allow(reader, [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
    const token = await namespace.token('reader');
    const { ca } = cluster.plane.address.admin;
    const weak = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig({ ca, token }) });
    const user = `system:serviceaccount:${namespace.name}:reader`;
    for (const [rule, verb] of [
      ['label', 'patch'],
      ['terminate', 'delete'],
    ] as const) {
      const result = await weak.result(podAlert(rule, namespace.name, 'web'));
      expect(result).toMatchObject({ level: 'error', status: 'failure' });
      expect(result.error).toContain(`User "${user}" cannot ${verb} resource "pods"`);
    }
    expect(await weak.stop()).toBe(0);
    expect(await namespace.find('web')).toBeDefined();
  });

  it('says that the credentials are not accepted', async () => {
    const namespace = await pending('unauthorized');
    const { ca } = cluster.plane.address.admin;
    const unknown = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig({ ca, token: 'made-up' }) });
    const result = await unknown.result(podAlert('label', namespace.name, 'web'));
    expect(result).toMatchObject({ level: 'error', status: 'failure', error: expect.stringMatching(/unauthorized/i) });
    expect(await unknown.stop()).toBe(0);
  });

  it('ends the rule at an error, and goes on with the next rule', async () => {
    const namespace = await pending('flow');
    expect(await outcomes('invalid', namespace.name, 2)).toEqual([
      ['Label wrongly', 'Label wrongly', 'failure'],
      ['After the others', 'Label as seen', 'success'],
    ]);
    expect(await namespace.labels('web')).toEqual({ seen: 'true' });
  });

  it('goes on after an error that is to be ignored', async () => {
    const namespace = await pending('flow-tolerant');
    expect(await outcomes('tolerant', namespace.name, 2)).toEqual([
      ['Label wrongly and go on', 'Label wrongly', 'failure'],
      ['Label wrongly and go on', 'Label', 'success'],
    ]);
  });

  it('ends everything where action and rule are the last', async () => {
    const namespace = await pending('flow-last');
    const own = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    await own.handle(podAlert('last', namespace.name, 'web'));
    expect(await own.stop()).toBe(0);
    expect(own.lines.filter(isResult).map(({ rule, action }) => [rule, action])).toEqual([
      ['Label wrongly and end there', 'Label wrongly'],
    ]);
    expect(await namespace.labels('web')).toBeUndefined();
  });

  it('does not let an error in one rule touch another', async () => {
    const namespace = await pending('flow-both');
    expect(await outcomes('both', namespace.name, 2)).toEqual([
      ['Label', 'Label', 'success'],
      ['Label wrongly', 'Label wrongly', 'failure'],
    ]);
    const status = { namespace: namespace.name };
    const samples = await talon.metric('falcosecurity_falco_talon_actions_total', status);
    expect(samples.map(({ labels, value }) => [labels.status, value]).sort()).toEqual([
      ['failure', 1],
      ['success', 1],
    ]);
  });

  it('gives an outage of the API server up when it has lasted as long as the configuration says', async () => {
    const namespace = await pending('outage');
    const own = await startTalon({
      rules: RULES,
      kubeconfig: cluster.kubeconfig(),
      settings: { retry: { unreachable_seconds: 2 } },
    });
    await own.handle(podAlert('label', namespace.name, 'web'));
    await cluster.plane.stopApiServer();
    const bodies = ['label', 'terminate'].map((rule) => podAlert(rule, namespace.name, 'web'));
    for (const result of await Promise.all(bodies.map((body) => own.result(body)))) {
      expect(result).toMatchObject({ level: 'error', status: 'failure' });
      expect(result.error).toMatch(/no answer/);
      expect(result.error).not.toContain("doesn't exist");
    }
    expect(await own.readiness()).toMatchObject({ status: 200 });
    await cluster.plane.startApiServer();
    expect(await own.result(podAlert('label', namespace.name, 'web'))).toMatchObject({ status: 'success' });
    expect(await namespace.labels('web')).toEqual({ quarantine: 'true' });
    expect(await own.stop()).toBe(0);
  });

  it('starts without an API server, and works once there is one', async () => {
    const namespace = await pending('late');
    await cluster.plane.stopApiServer();
    const early = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    await cluster.plane.startApiServer();
    expect(await early.result(podAlert('label', namespace.name, 'web'))).toMatchObject({ status: 'success' });
    expect(await early.stop()).toBe(0);
  });

  /** A namespace with a pod `web`, which never runs: labels and deletions do not need it to. */
  async function pending(prefix: string) {
    const namespace = await cluster.namespace(prefix);
    await namespace.pod('web', { run: false });
    return namespace;
  }

  async function outcomes(rule: string, namespace: string, results: number) {
    const lines = await talon.handle(podAlert(rule, namespace, 'web'), { results });
    return lines.filter(isResult).map(({ rule: name, action, status }) => [name, action, status]);
  }
});

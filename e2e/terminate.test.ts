import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podAlert } from './alert.ts';
import { interpose } from './cluster/admission-webhook.ts';
import { countVerbs } from './cluster/audit-log.ts';
import type { KubeObject, WatchEvent } from './cluster/kube-api.ts';
import type { WorkloadKind } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { isResult, type Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** One rule for each set of parameters, chosen by the Falco rule of the same name. */
function terminateRule(name: string, parameters: string): string {
  return `
- rule: Terminate ${name}
  match: {rules: ["${name}"]}
  actions:
    - action: Terminate the pod
      actionner: kubernetes:terminate
      parameters: ${parameters}
    - action: Never reached
      actionner: kubernetes:label
      parameters: {labels: {reached: "true"}}
`;
}

const BOUNDS = ['2', '3', '50%', '51%', '0', '100%'] as const;

const RULES = [
  terminateRule('plain', '{}'),
  terminateRule('gently', '{grace_period_seconds: 30}'),
  terminateRule('no daemonsets', '{ignore_daemonsets: true}'),
  terminateRule('no statefulsets', '{ignore_statefulsets: true}'),
  terminateRule('no standalone', '{ignore_standalone_pods: true}'),
  ...BOUNDS.map((bound) => terminateRule(`min ${bound}`, `{min_healthy_replicas: "${bound}"}`)),
].join('');

describe('kubernetes:terminate', () => {
  const cluster = useCluster();
  let talon: Talon;

  beforeAll(async () => {
    talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
  });
  afterAll(() => talon?.stop());

  it('deletes a standalone pod at once, and no other pod of its name', async () => {
    const namespace = await cluster.namespace('terminate');
    const pod = await namespace.pod('web');
    await namespace.pod('bystander');
    const result = await talon.result(podAlert('plain', namespace.name, 'web'));
    expect(result).toMatchObject({
      level: 'info',
      status: 'success',
      output: `the pod 'web' in the namespace '${namespace.name}' has been terminated`,
      pod: 'web',
      namespace: namespace.name,
    });
    expect(await namespace.isGone(pod)).toBe(true);
    expect(await namespace.find('bystander')).toBeDefined();
    const writes = namespace.audit().filter(({ verb }) => verb !== 'get');
    expect(writes).toEqual([
      expect.objectContaining({
        verb: 'delete',
        requestObject: expect.objectContaining({ gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }),
      }),
    ]);
  });

  it('gives the pod the time that the rule grants', async () => {
    const namespace = await cluster.namespace('terminate-grace');
    const pod = await namespace.pod('web');
    const events: WatchEvent[] = [];
    const endWatch = await namespace.watchPods((event) => events.push(event));
    await talon.handle(podAlert('gently', namespace.name, 'web'));
    await waitUntil('the pod to be gone', () => namespace.isGone(pod));
    const marked = await waitUntil('the mark of deletion', () =>
      events.find(({ object }) => object.metadata.deletionTimestamp !== undefined),
    );
    expect(marked).toMatchObject({ type: 'MODIFIED', object: { metadata: { deletionGracePeriodSeconds: 30 } } });
    endWatch();
  });

  it('stops the rule after it, whether it acted or not', async () => {
    const namespace = await cluster.namespace('terminate-last');
    await namespace.pod('web');
    const own = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig() });
    await own.handle(podAlert('no standalone', namespace.name, 'web'));
    await own.handle(podAlert('plain', namespace.name, 'web'));
    // Once the server has ended, nothing can follow any more.
    expect(await own.stop()).toBe(0);
    expect(own.lines.filter(isResult).map(({ action, status }) => [action, status])).toEqual([
      ['Terminate the pod', 'ignored'],
      ['Terminate the pod', 'success'],
    ]);
  });

  describe.each([
    ['DaemonSet', 'no daemonsets', 'belongs to a DaemonSet and will be ignored.'],
    ['StatefulSet', 'no statefulsets', 'belongs to a StatefulSet and will be ignored.'],
    ['ReplicaSet', undefined, ''],
    ['Deployment', undefined, ''],
  ] as const)('a pod of a %s', (kind, ignoring, reason) => {
    const others = ['no daemonsets', 'no statefulsets', 'no standalone'].filter((each) => each !== ignoring);

    it.each(['plain', ...others])(`is terminated by the rule "%s"`, async (rule) => {
      const [pod] = await workload(kind);
      const result = await talon.result(podAlert(rule, pod.namespace.name, pod.name));
      expect(result.status).toBe('success');
      await waitUntil('the pod to be gone', () => pod.namespace.isGone(pod.object));
    });

    if (ignoring === undefined) return;
    it('is left alone where the rule says so, and the reason is given', async () => {
      const [pod] = await workload(kind);
      const result = await talon.result(podAlert(ignoring, pod.namespace.name, pod.name));
      expect(result).toMatchObject({
        level: 'info',
        status: 'ignored',
        result: `the pod '${pod.name}' in the namespace '${pod.namespace.name}' ${reason}`,
      });
      await expectUntouched(pod);
    });
  });

  it('leaves a standalone pod alone where the rule says so', async () => {
    const namespace = await cluster.namespace('terminate-standalone');
    const object = await namespace.pod('web');
    const result = await talon.result(podAlert('no standalone', namespace.name, 'web'));
    expect(result).toMatchObject({
      status: 'ignored',
      result: `the pod 'web' in the namespace '${namespace.name}' is a standalone pod and will be ignored.`,
    });
    await expectUntouched({ namespace, name: 'web', object });
    const labels = { status: 'ignored', pod: 'web', namespace: namespace.name };
    expect(await talon.metric('falcosecurity_falco_talon_actions_total', labels)).toHaveLength(1);
  });

  // Of four wanted replicas two are ready.
  describe('min_healthy_replicas with 2 of 4 ready', () => {
    it.each(['0', '2', '50%'])('%s allows it', async (bound) => {
      const pod = await halfReady();
      const result = await talon.result(podAlert(`min ${bound}`, pod.namespace.name, pod.name));
      expect(result.status).toBe('success');
      await waitUntil('the pod to be gone', () => pod.namespace.isGone(pod.object));
    });

    it.each(['3', '51%', '100%'])('%s forbids it', async (bound) => {
      const pod = await halfReady();
      const result = await talon.result(podAlert(`min ${bound}`, pod.namespace.name, pod.name));
      expect(result).toMatchObject({
        status: 'ignored',
        result: `the pod '${pod.name}' in the namespace '${pod.namespace.name}' belongs to a ReplicaSet without enough healthy replicas and will be ignored.`,
      });
      await expectUntouched(pod);
    });

    async function halfReady(): Promise<TargetPod> {
      const namespace = await cluster.namespace('terminate-healthy');
      const [first, second, third] = await namespace.workload('Deployment', 'app', 4);
      await namespace.unready(second!);
      await namespace.unready(third!);
      await namespace.untilReady(first!, 2);
      return { namespace, name: first!.metadata.name, object: first! };
    }
  });

  it('does not touch a pod that took the place of the one that was looked up', async () => {
    const namespace = await cluster.namespace('terminate-uid');
    // On a node, kwok would delete whatever has the name when it sees the old pod go.
    const old = await namespace.pod('web', { run: false });
    let successor: KubeObject | undefined;
    const hook = await interpose(cluster, namespace, 'DELETE', async () => {
      successor ??= await replace(old);
      return { allowed: true };
    });
    const result = await talon.result(podAlert('plain', namespace.name, 'web'));
    await hook.close();
    expect(successor?.metadata.uid).not.toBe(old.metadata.uid);
    expect(await namespace.find('web')).toMatchObject({ metadata: { uid: successor?.metadata.uid } });
    expect((await namespace.find('web'))?.metadata).not.toHaveProperty('deletionTimestamp');
    expect(result.status).toBe('failure');

    async function replace(pod: KubeObject): Promise<KubeObject> {
      await cluster.api.must('DELETE', namespace.pods(pod.metadata.name), { gracePeriodSeconds: 0 });
      return namespace.pod(pod.metadata.name, { run: false });
    }
  });

  interface TargetPod {
    readonly namespace: Awaited<ReturnType<typeof cluster.namespace>>;
    readonly name: string;
    readonly object: KubeObject;
  }

  async function workload(kind: WorkloadKind): Promise<readonly [TargetPod]> {
    const namespace = await cluster.namespace(kind.toLowerCase());
    const [object] = await namespace.workload(kind, 'app');
    return [{ namespace, name: object!.metadata.name, object: object! }];
  }

  async function expectUntouched({ namespace, object }: TargetPod): Promise<void> {
    expect(await namespace.isGone(object)).toBe(false);
    expect(Object.keys(countVerbs(namespace.audit()))).toEqual(['get']);
  }
});

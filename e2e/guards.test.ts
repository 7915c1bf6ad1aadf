import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { NODES } from './cluster/control-plane.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { startTalon, TalonHome } from './talon-home.ts';

const FOLDER = join(import.meta.dirname, '../policies');
const CONTAINER = 'c0ffee'.repeat(11).slice(0, 64);

const RULES = `
- rule: Terminate
  match: {rules: [terminate]}
  actions:
    - action: Terminate the pod
      actionner: kubernetes:terminate
- rule: Label
  match: {rules: [label]}
  actions:
    - action: Label the pod
      actionner: kubernetes:label
      parameters: {labels: {seen: "true"}}
`;

/** Policies of the test's own, for what the shipped ones do within minutes or hours only. */
const OWN = {
  budget: `
- policy: Two labels in three seconds
  actionners: [kubernetes:label]
  budgets:
    - {max: 2, window: 3s, per: [namespace]}
`,
  monitor: `
- policy: Only watching
  mode: monitor
  actionners: [kubernetes:label]
  deny:
    - expression: target.namespace.startsWith("guards-monitor")
      message: nothing may be labelled here
`,
};

describe('guard policies', () => {
  const cluster = useCluster();
  const scratch = makeScratch();

  afterAll(() => removeScratch(scratch));

  describe('that are shipped', () => {
    let talon: Talon;

    beforeAll(async () => {
      await cluster.allow({ kind: 'User', name: 'talon' }, [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]);
      const labels = { 'kubernetes.io/hostname': NODES[0] };
      await cluster.api.mergePatch(`/api/v1/nodes/${NODES[0]}`, { metadata: { labels } });
      const controlPlane = { 'kubernetes.io/hostname': NODES[1], 'node-role.kubernetes.io/control-plane': '' };
      await cluster.api.mergePatch(`/api/v1/nodes/${NODES[1]}`, { metadata: { labels: controlPlane } });
      talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig(), policies: shipped() });
    });
    afterAll(() => talon?.stop());

    it('let a verified alert terminate its pod', async () => {
      const namespace = await cluster.namespace('guards');
      const pod = await verifiedPod(namespace, 'web');
      expect(await talon.result(verifiedAlert(namespace, 'web'))).toMatchObject({ status: 'success' });
      expect(await namespace.isGone(pod)).toBe(true);
    });

    it('protect the namespaces of the system', async () => {
      const namespace = new TestNamespace('kube-system', cluster.api, cluster.plane.address.auditLog);
      const pod = await verifiedPod(namespace, 'core-dns');
      await expectDenied(await denied(verifiedAlert(namespace, 'core-dns')), namespace, pod);
    });

    it('protect the nodes of the control plane', async () => {
      const namespace = await cluster.namespace('guards-node');
      const pod = await verifiedPod(namespace, 'web', NODES[1]);
      await expectDenied(await denied(verifiedAlert(namespace, 'web', { hostname: NODES[1] })), namespace, pod);
    });

    it.each([
      ['of a container that the pod does not have', { id: 'deadbeef0123' }],
      ['from another node than that of the pod', { hostname: NODES[1] }],
      ['that names no container', { id: undefined }],
    ])('stop a destructive answer to an alert %s', async (_, forged) => {
      const namespace = await cluster.namespace('guards-forged');
      const pod = await verifiedPod(namespace, 'web');
      await expectDenied(await denied(verifiedAlert(namespace, 'web', forged)), namespace, pod);
    });

    it('do not stop what destroys nothing', async () => {
      const namespace = await cluster.namespace('guards-label');
      await namespace.pod('web');
      expect(await talon.result(podAlert('label', namespace.name, 'web'))).toMatchObject({ status: 'success' });
    });

    it('count what they stop', async () => {
      const samples = await talon.metric('falcosecurity_falco_talon_denied_actions_total');
      console.log(
        `e2e: what the shipped policies denied: ${samples.map(({ labels, value }) => `${labels.policy} ${value}`).join(', ')}`,
      );
      expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(5);
    });

    async function denied(body: string): Promise<LogLine> {
      const result = await talon.result(body);
      expect(result).toMatchObject({ level: 'error', status: 'denied', action: 'Terminate the pod' });
      return result;
    }
  });

  it('that have a budget park what is above it, until an operator lets it go on', async () => {
    const namespace = await cluster.namespace('guards-budget');
    const pods = ['one', 'two', 'three'];
    await Promise.all(pods.map((pod) => namespace.pod(pod)));
    const home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), policies: [own('budget')] });
    const talon = await home.start();
    const results = [];
    for (const pod of pods) results.push(await talon.result(podAlert('label', namespace.name, pod)));
    expect(results.map(({ status }) => status)).toEqual(['success', 'success', 'parked']);
    expect(await namespace.labels('three')).toBeUndefined();
    const [parked] = await home.plans('parked');
    expect(parked).toMatchObject({ state: 'parked', trace_id: results[2]?.trace_id, rules: ['Label'] });
    const shown = await home.journal('show', String(parked?.id));
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('Two labels in three seconds');

    await sleep(3_000);
    const { code, stdout, stderr } = await home.journal('retry', String(parked?.id));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const asked = performance.now();
    await waitUntil('the label', async () => (await namespace.labels('three'))?.seen === 'true');
    console.log(
      `e2e: a spent budget: ${results[2]?.result}; talon journal retry: ${stdout.trim()}; done ${(performance.now() - asked).toFixed(0)} ms later`,
    );
    await waitUntil('the end of the plan', async () => (await home.plans('parked', 'open')).length === 0);
    expect(await talon.stop()).toBe(0);
    home.remove();
  });

  it('remember their budgets over a kill', async () => {
    const namespace = await cluster.namespace('guards-kill');
    await Promise.all(['one', 'two', 'three'].map((pod) => namespace.pod(pod)));
    const policy = own('budget', (text) => text.replace('3s', '10m'));
    const home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), policies: [policy] });
    const talon = await home.start();
    for (const pod of ['one', 'two']) {
      expect(await talon.result(podAlert('label', namespace.name, pod))).toMatchObject({ status: 'success' });
    }
    await talon.stop('KILL');
    const again = await home.start();
    expect(await again.result(podAlert('label', namespace.name, 'three'))).toMatchObject({ status: 'parked' });
    expect(await again.stop()).toBe(0);
    home.remove();
  });

  it('in monitor mode only say what they would have stopped', async () => {
    const namespace = await cluster.namespace('guards-monitor');
    await namespace.pod('web');
    const talon = await startTalon({ rules: RULES, kubeconfig: cluster.kubeconfig(), policies: [own('monitor')] });
    const lines = await talon.handle(podAlert('label', namespace.name, 'web'), { results: 2 });
    expect(lines.map(({ status }) => status)).toEqual(expect.arrayContaining(['monitored', 'success']));
    expect(lines.find(({ status }) => status === 'monitored')?.result).toContain('nothing may be labelled here');
    expect(await namespace.labels('web')).toEqual({ seen: 'true' });
    expect(await talon.stop()).toBe(0);
  });

  /** The files of the policies, without their tests. */
  function shipped(): readonly string[] {
    return readdirSync(FOLDER)
      .filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
      .map((name) => join(FOLDER, name));
  }

  function own(name: keyof typeof OWN, change = (text: string) => text): string {
    const file = join(scratch, `${name}-${Math.random()}.yaml`);
    writeFileSync(file, change(OWN[name]));
    return file;
  }

  /** Nothing happened to the pod, and the audit log has nothing but lookups. */
  async function expectDenied(result: LogLine, namespace: TestNamespace, pod: KubeObject): Promise<void> {
    console.log(`e2e: denied: ${result.result}`);
    expect(await namespace.isGone(pod)).toBe(false);
    expect(namespace.audit().filter(({ verb }) => verb !== 'get')).toEqual([]);
  }
});

/** A running pod with a container id that an alert can know. */
async function verifiedPod(namespace: TestNamespace, name: string, node?: string): Promise<KubeObject> {
  const pod = await namespace.pod(name, node === undefined ? {} : { node });
  await namespace.setContainerId(name, CONTAINER);
  return pod;
}

interface Claims {
  readonly id?: string | undefined;
  readonly hostname?: string;
}

/** An alert as the Falco on the pod's node sends it, or with other claims. */
function verifiedAlert({ name }: TestNamespace, pod: string, claims: Claims = {}): string {
  const { id, hostname = NODES[0] } = { id: CONTAINER.slice(0, 12), ...claims };
  const fields = { 'k8s.ns.name': name, 'k8s.pod.name': pod, ...(id === undefined ? {} : { 'container.id': id }) };
  return alertBody({ rule: 'terminate', fields, hostname });
}

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { installKind } from './cluster/custom-kind.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { type Granted, grantedTo, misfits } from './granted-rights.ts';
import { isResult, type Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

const PARAMETERS = {
  plain: '{}',
  nobody: '{allow_cidr: []}',
  networks: '{allow_cidr: [10.0.0.0/8, "fd00::/8"], order: 20}',
  namespaces: '{allow_namespaces: [blue-ns, green-ns]}',
} as const;
type RuleName = keyof typeof PARAMETERS;

function rules(actionner: string): string {
  return Object.entries(PARAMETERS)
    .map(
      ([name, parameters]) => `
- rule: Deny by ${name}
  match: {rules: ["${name}"]}
  actions:
    - action: Deny the address
      actionner: ${actionner}
      parameters: ${parameters}
`,
    )
    .join('');
}

function alert(rule: RuleName, namespace: TestNamespace, pod: string, ip: string): string {
  return alertBody({ rule, fields: { 'k8s.ns.name': namespace.name, 'k8s.pod.name': pod, 'fd.rip': ip } });
}

const allow = (...nets: string[]) => ({ action: 'Allow', destination: { nets } });
const deny = (...nets: string[]) => ({ action: 'Deny', destination: { nets } });
const cidrs = (...toCIDR: string[]) => ({ toCIDR });

/** Milliseconds between two writes of somebody else: about as long as Talon takes from reading to writing. */
const PAUSE = 10;

/** The parts of a spec that change, as each of the two has them. */
interface Expected {
  readonly denied: readonly string[];
  readonly rule: RuleName;
}

type Spec = Readonly<Record<string, unknown>>;

const KINDS = [
  {
    actionner: 'calico:networkpolicy',
    file: 'calico-networkpolicies.yaml',
    group: 'projectcalico.org/v3',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    called: 'caliconetworkpolicy',
    key: 'caliconetworpolicy',
    missing: 'networkpolicies.projectcalico.org',
    denied: ({ egress }: Spec) => (egress as ReturnType<typeof deny>[])[0]?.destination.nets ?? [],
    spec: ({ denied, rule }: Expected) => {
      const ofVersion4 = denied.filter((net) => !net.includes(':'));
      const ofVersion6 = denied.filter((net) => net.includes(':'));
      const namespaceSelector = "kubernetes.io/metadata.name in { 'blue-ns', 'green-ns' }";
      const allows = {
        plain: [allow('0.0.0.0/0')],
        nobody: [],
        networks: [allow('10.0.0.0/8'), allow('fd00::/8')],
        namespaces: [{ action: 'Allow', destination: { namespaceSelector } }],
      };
      return {
        order: rule === 'networks' ? 20 : 0,
        tier: 'default',
        types: ['Egress'],
        selector: 'app == "set"',
        egress: [
          ...(ofVersion4.length > 0 ? [deny(...ofVersion4)] : []),
          ...(ofVersion6.length > 0 ? [deny(...ofVersion6)] : []),
          ...allows[rule],
        ],
      };
    },
  },
  {
    actionner: 'cilium:networkpolicy',
    file: 'cilium-networkpolicies.yaml',
    group: 'cilium.io/v2',
    plural: 'ciliumnetworkpolicies',
    kind: 'CiliumNetworkPolicy',
    called: 'ciliumnetworkpolicy',
    key: 'networkpolicy',
    missing: 'ciliumnetworkpolicies.cilium.io',
    denied: ({ egressDeny }: Spec) => (egressDeny as ReturnType<typeof cidrs>[])[0]?.toCIDR ?? [],
    spec: ({ denied, rule }: Expected) => {
      const values = ['blue-ns', 'green-ns'];
      const matchExpressions = [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'In', values }];
      const allows = {
        plain: [cidrs('0.0.0.0/0')],
        nobody: undefined,
        networks: [cidrs('10.0.0.0/8', 'fd00::/8')],
        namespaces: [{ toEndpoints: [{ matchExpressions }] }],
      };
      return {
        description: 'Network policy created by Falco Talon',
        endpointSelector: { matchLabels: { app: 'set' } },
        egressDeny: [cidrs(...denied)],
        ...(allows[rule] && { egress: allows[rule] }),
      };
    },
  },
];

describe.each(KINDS)('$actionner', ({ actionner, file, group, plural, kind, called, key, missing, spec, denied }) => {
  const cluster = useCluster();
  let granted: Granted;
  let talon: Talon;

  beforeAll(async () => {
    granted = await grantedTo(cluster, 'denier', rules(actionner));
    talon = await startTalon({ rules: rules(actionner), kubeconfig: granted.kubeconfig });
  });
  afterAll(() => talon?.stop());

  const path = (namespace: TestNamespace) => `/apis/${group}/namespaces/${namespace.name}/${plural}`;
  const policy = (namespace: TestNamespace, name = 'set') => cluster.api.find(`${path(namespace)}/${name}`);
  async function podOfSet(namespace: TestNamespace): Promise<string> {
    const [pod] = await namespace.workload('Deployment', 'set');
    return (pod as KubeObject).metadata.name;
  }

  it('names what is missing as long as the kind is not served', async () => {
    const namespace = await cluster.namespace('unserved');
    await namespace.pod('web', { labels: { app: 'web' } });
    const result = await talon.result(alert('plain', namespace, 'web', '203.0.113.7'));
    expect(result.status).toBe('failure');
    expect(result.error).toMatch(`the API server does not serve ${missing} of version`);
  });

  describe('where it is served', () => {
    beforeAll(() => installKind(cluster.api, file));

    it('makes a policy, as the parameters say, and changes it by the next alert', async () => {
      const namespace = await cluster.namespace('deny');
      const pod = await podOfSet(namespace);
      const networks: string[] = [];
      for (const [rule, ip, network] of [
        ['plain', '203.0.113.7', '203.0.113.7/32'],
        ['nobody', '203.0.113.8', '203.0.113.8/32'],
        ['networks', '2001:DB8::0:1', '2001:db8::1/128'],
        ['namespaces', '::ffff:203.0.113.9', '203.0.113.9/32'],
      ] as const) {
        const change = networks.length === 0 ? 'created' : 'updated';
        networks.push(network);
        const result = await talon.result(alert(rule, namespace, pod, ip));
        expect(result).toMatchObject({
          status: 'success',
          output: `the ${called} 'set' in the namespace '${namespace.name}' has been ${change}`,
          pod,
          namespace: namespace.name,
        });
        expect(result[key]).toBe(change === 'updated' ? 'set' : undefined);
        expect(await policy(namespace)).toEqual({
          apiVersion: group,
          kind,
          metadata: {
            name: 'set',
            namespace: namespace.name,
            labels: { app: 'set', 'app.k8s.io/managed-by': 'falco-talon' },
            annotations: { 'falco-talon/rules': expect.any(String) },
            uid: expect.any(String),
            resourceVersion: expect.any(String),
            generation: networks.length,
            creationTimestamp: expect.any(String),
            managedFields: [expect.objectContaining({ manager: 'falco-talon' })],
          },
          spec: spec({ denied: networks, rule }),
        });
      }
    });

    it('writes nothing for an address that is denied already', async () => {
      const namespace = await cluster.namespace('deny-again');
      const pod = await podOfSet(namespace);
      await talon.result(alert('plain', namespace, pod, '2001:db8::1'));
      const before = await policy(namespace);
      const result = await talon.result(alert('plain', namespace, pod, '2001:db8:0::1'));
      expect(result.output).toBe(`the ${called} 'set' in the namespace '${namespace.name}' has been updated`);
      expect(await policy(namespace)).toEqual(before);
    });

    it('leaves the policy of somebody else alone', async () => {
      const namespace = await cluster.namespace('deny-foreign');
      const pod = await podOfSet(namespace);
      const theirs = { metadata: { name: 'set' }, kind, apiVersion: group };
      const bare = actionner.startsWith('calico')
        ? { selector: 'app == "set"', types: ['Egress'] }
        : { endpointSelector: {} };
      const foreign = await cluster.api.must('POST', path(namespace), { ...theirs, spec: bare });
      const result = await talon.result(alert('plain', namespace, pod, '203.0.113.7'));
      expect(result.output).toBe(
        `the ${called} 'set-falco-talon' in the namespace '${namespace.name}' has been created`,
      );
      expect(await policy(namespace)).toEqual(foreign);
      expect((await policy(namespace, 'set-falco-talon'))?.spec).toEqual(
        spec({ denied: ['203.0.113.7/32'], rule: 'plain' }),
      );
    });

    it.each([
      ['127.0.0.1', 'a loopback address'],
      ['::ffff:169.254.169.254', 'a link-local address'],
    ])('does not deny %s', async (ip, reason) => {
      const namespace = await cluster.namespace('deny-protected');
      const pod = await podOfSet(namespace);
      const result = await talon.result(alert('plain', namespace, pod, ip));
      expect(result.status).toBe('failure');
      expect(result.error).toMatch(`is ${reason} and will not be denied`);
      expect(await policy(namespace)).toBeUndefined();
    });

    it('loses no address of 20 alerts that two servers handle while somebody else writes, too', async () => {
      const namespace = await cluster.namespace('deny-parallel');
      const pod = await podOfSet(namespace);
      const other = await startTalon({ rules: rules(actionner), kubeconfig: granted.kubeconfig });
      const ips = Array.from({ length: 20 }, (_, index) => `203.0.113.${index}`);
      const writer = keepWriting(namespace);
      const results = await Promise.all(
        ips.map((ip, index) => (index % 2 ? other : talon).result(alert('plain', namespace, pod, ip))),
      );
      const notes = await writer.stop();
      expect(results.map(({ status, error }) => error ?? status)).toEqual(ips.map(() => 'success'));
      const found = await policy(namespace);
      const networks = denied(found?.spec ?? {});
      expect([...networks].sort()).toEqual(ips.map((ip) => `${ip}/32`).sort());
      expect(found?.spec).toEqual(spec({ denied: networks, rule: 'plain' }));
      expect(found?.metadata).toMatchObject({ annotations: { note: String(notes) } });
      expect(await cluster.api.list(path(namespace))).toHaveLength(1);
      const conflicts = namespace.audit().filter(({ responseStatus }) => responseStatus?.code === 409);
      console.info(
        `e2e: ${actionner}: ${conflicts.length} conflicts among 20 writes of two servers and ${notes} others`,
      );
      expect(conflicts.length).toBeGreaterThan(0);
      expect(await other.stop()).toBe(0);
      expect(other.lines.filter(isResult)).toHaveLength(10);
    });

    /** Writes into the policy as often as it can, once it is there. Stopped, it says how often it did. */
    function keepWriting(namespace: TestNamespace) {
      let goesOn = true;
      const written = (async () => {
        let notes = 0;
        while (goesOn) {
          const patch = { metadata: { annotations: { note: String(notes + 1) } } };
          const answer = await cluster.api.call(
            'PATCH',
            `${path(namespace)}/set`,
            patch,
            'application/merge-patch+json',
          );
          if (answer.status === 200) notes += 1;
          await sleep(PAUSE);
        }
        return notes;
      })();
      return {
        stop: () => {
          goesOn = false;
          return written;
        },
      };
    }

    it('takes the rights that it names, and no others', async () => {
      const namespace = await cluster.namespace('deny-rights');
      for (const workload of ['ReplicaSet', 'DaemonSet', 'StatefulSet'] as const) {
        const [pod] = await namespace.workload(workload, workload.toLowerCase());
        for (const ip of ['203.0.113.7', '203.0.113.8']) {
          const result = await talon.result(alert('plain', namespace, (pod as KubeObject).metadata.name, ip));
          expect(result.status).toBe('success');
        }
      }
      expect(misfits(granted)).toEqual({ unused: [], forbidden: [] });
    });

    it('is held to the definition: a wrong field would be refused', async () => {
      const namespace = await cluster.namespace('deny-strict');
      const strict = `${path(namespace)}?fieldValidation=Strict`;
      const body = (more: object) => ({
        apiVersion: group,
        kind,
        metadata: { name: 'x' },
        spec: { ...spec({ denied: ['203.0.113.7/32'], rule: 'plain' }), ...more },
      });
      const wrong = actionner.startsWith('calico')
        ? [{ egres: [] }, { order: '1' }, { egress: [deny('203.0.113.7/32', '2001:db8::1/128')] }]
        : [{ egressDenied: [] }, { egressDeny: [cidrs('203.0.113.7')] }, { egressDeny: [{ toCIDRs: [] }] }];
      for (const more of wrong) {
        const { status } = await cluster.api.call('POST', strict, body(more));
        expect([400, 422]).toContain(status);
      }
      expect((await cluster.api.call('POST', strict, body({}))).status).toBe(201);
    });
  });
});

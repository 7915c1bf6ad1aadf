import { beforeEach, describe, expect, it } from 'vitest';
import type { NetworkPeer } from '../../../model/capability.ts';
import { failureOf, signal, useRecordedKube } from '../recorded-kube.ts';
import { type PolicyObject, rulesIn } from './network-policy.ts';
import { created, managed, metadata, RecordedPolicies, updated, workload } from './recorded-policies.ts';

const recorded = useRecordedKube();
let policies: RecordedPolicies;

const isolate = (peers: readonly NetworkPeer[] = []) =>
  recorded.kube.adapters['networkpolicies.apply'](workload, peers, signal);

describe('networkpolicies.apply', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'networking.k8s.io/v1', 'networkpolicies');
  });
  const egress = () => policies.policy()?.spec?.egress;

  it('denies all egress where nobody is allowed', async () => {
    expect(await isolate()).toEqual(created);
    expect(policies.policy()).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: { policyTypes: ['Egress'], podSelector: { matchLabels: workload.labels } },
    });
  });

  it('allows networks and namespaces in one rule', async () => {
    await isolate([{ namespace: 'green' }, { cidr: '10.0.0.0/8' }, { cidr: 'fd00::/8' }, { namespace: 'blue' }]);
    expect(egress()).toEqual([
      {
        to: [
          { ipBlock: { cidr: '10.0.0.0/8' } },
          { ipBlock: { cidr: 'fd00::/8' } },
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'green' } } },
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'blue' } } },
        ],
      },
    ]);
  });

  it('puts new allowed peers in the place of its old ones, and writes nothing that is there', async () => {
    await isolate([{ cidr: '10.0.0.0/8' }]);
    expect(await isolate([{ cidr: '10.1.0.0/16' }])).toEqual(updated);
    expect(egress()).toEqual([{ to: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }]);
    expect(await isolate([{ cidr: '10.1.0.0/16' }])).toEqual(updated);
    expect([policies.count('POST'), policies.count('PUT')]).toEqual([1, 1]);
    await isolate();
    expect(policies.policy()?.spec).not.toHaveProperty('egress');
  });

  it('keeps what others wrote into its policy', async () => {
    await isolate([{ cidr: '10.0.0.0/8' }]);
    const dns = { ports: [{ port: 53, protocol: 'UDP' }] };
    const alike = { to: [{ ipBlock: { cidr: '192.168.0.0/16' } }] };
    const { spec, ...mine } = policies.policy() as PolicyObject;
    policies.put({
      ...mine,
      metadata: {
        ...mine.metadata,
        labels: { ...mine.metadata.labels, team: 'blue' },
        annotations: { ...mine.metadata.annotations, note: 'kept' },
      },
      spec: {
        ...spec,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {} }] }],
        egress: [dns, ...rulesIn(spec?.egress), alike],
      },
    });
    await isolate([{ namespace: 'green' }]);
    expect(policies.policy()).toMatchObject({
      metadata: { labels: { team: 'blue', app: 'web' }, annotations: { note: 'kept' } },
      spec: {
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {} }] }],
        egress: [
          { to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'green' } } }] },
          dns,
          alike,
        ],
      },
    });
  });

  it("takes Falco Talon's rules of its policies for its own", async () => {
    const dns = { ports: [{ port: 53 }], to: [{ ipBlock: { cidr: '10.0.0.1/32' } }] };
    const old = {
      to: [
        { ipBlock: { cidr: '10.0.0.0/8' } },
        { namespaceSelector: { matchLabels: { 'k8s.io/metadata.name': 'green' } } },
      ],
    };
    policies.put({ metadata: managed, spec: { policyTypes: ['Egress'], podSelector: {}, egress: [old, dns] } });
    await isolate();
    expect(egress()).toEqual([dns]);
  });

  it.each([[{ cidr: '10.0.0.0' }], [{ namespace: "x' }" }], [{ namespace: '' }]] as const)(
    'refuses to allow %j',
    async (peer) => {
      expect(await failureOf(isolate([peer]))).toMatchObject({ code: 'door' });
      expect(recorded.api.seen).toEqual([]);
    },
  );
});

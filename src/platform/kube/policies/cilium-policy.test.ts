import { beforeEach, describe, expect, it } from 'vitest';
import type { AllowedPeers } from '../../../model/capability.ts';
import { failureOf, signal, useRecordedKube } from '../recorded-kube.ts';
import { type PolicyObject, rulesIn } from './network-policy.ts';
import { created, managed, metadata, RecordedPolicies, workload } from './recorded-policies.ts';

const recorded = useRecordedKube();
let policies: RecordedPolicies;

const cilium = (ip: string, allowed: AllowedPeers = {}) =>
  recorded.kube.adapters['cilium.deny'](workload, ip, allowed, signal);

describe('cilium.deny', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'cilium.io/v2', 'ciliumnetworkpolicies');
  });
  const WORLD = { toCIDR: ['0.0.0.0/0'] };
  const green = {
    toEndpoints: [
      { matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'In', values: ['blue', 'green'] }] },
    ],
  };
  const spec = () => policies.policy()?.spec;

  it('makes a policy that denies the address and allows the world', async () => {
    expect(await cilium('203.0.113.7')).toEqual(created);
    expect(policies.policy()).toEqual({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata,
      spec: {
        description: 'Network policy created by Falco Talon',
        endpointSelector: { matchLabels: workload.labels },
        egressDeny: [{ toCIDR: ['203.0.113.7/32'] }],
        egress: [WORLD],
      },
    });
  });

  it.each<[AllowedPeers, object[] | undefined]>([
    [{}, [WORLD]],
    [{ cidrs: [] }, undefined],
    [{ cidrs: ['fd00::/8', '10.0.0.0/8'] }, [{ toCIDR: ['fd00::/8', '10.0.0.0/8'] }]],
    [{ namespaces: ['blue', 'green'] }, [green]],
    [{ cidrs: ['10.0.0.0/8'], namespaces: ['blue', 'green'] }, [{ toCIDR: ['10.0.0.0/8'] }, green]],
  ])('allows by %j', async (allowed, egress) => {
    await cilium('203.0.113.7', allowed);
    expect(spec()?.egress).toEqual(egress);
  });

  it('keeps one rule of denied addresses, each once, beside those of others', async () => {
    for (const ip of ['203.0.113.7', '203.0.113.8', '2001:db8::1', '203.0.113.7']) await cilium(ip);
    expect(spec()?.egressDeny).toEqual([{ toCIDR: ['203.0.113.7/32', '203.0.113.8/32', '2001:db8::1/128'] }]);
    const ours = policies.policy() as PolicyObject;
    const theirs = { toEntities: ['cluster'] };
    policies.put({
      ...ours,
      spec: {
        ...ours.spec,
        ingress: [{}],
        egress: [...rulesIn(ours.spec?.egress), theirs],
        egressDeny: [{ toCIDR: ['198.51.100.0/24'] }, ...rulesIn(ours.spec?.egressDeny)],
      },
    });
    await cilium('203.0.113.9', { namespaces: ['blue', 'green'] });
    expect(spec()).toMatchObject({
      ingress: [{}],
      egress: [green, theirs],
      egressDeny: [
        { toCIDR: ['203.0.113.7/32', '203.0.113.8/32', '2001:db8::1/128', '203.0.113.9/32'] },
        { toCIDR: ['198.51.100.0/24'] },
      ],
    });
  });

  it('makes one rule of the many that Falco Talon wrote', async () => {
    const rule = (ip: string) => ({ toCIDR: [ip] });
    const old = {
      toEndpoints: [{ matchExpressions: [{ key: 'k8s:io/metadata.name', operator: 'In', values: ['x'] }] }],
    };
    const egressDeny = ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.2/32'].map(rule);
    policies.put({ metadata: managed, spec: { egressDeny, egress: [WORLD, old, WORLD] } });
    await cilium('203.0.113.1');
    expect(spec()).toMatchObject({ egressDeny: [{ toCIDR: ['203.0.113.1/32', '203.0.113.2/32'] }], egress: [WORLD] });
  });

  it('names the definition where Cilium is not served', async () => {
    recorded.api.answers.clear();
    recorded.api.answers.set('GET /apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies/web', {
      status: 404,
      body: '404 page not found\n',
    });
    expect(await failureOf(cilium('203.0.113.7'))).toMatchObject({
      code: 'refused',
      message:
        "the API server does not serve ciliumnetworkpolicies.cilium.io of version v2, which come with Cilium's CRD ciliumnetworkpolicies.cilium.io",
    });
  });
});

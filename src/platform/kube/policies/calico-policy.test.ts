import { beforeEach, describe, expect, it } from 'vitest';
import type { AllowedPeers } from '../../../model/capability.ts';
import { createKubeAdapters } from '../kube-adapters.ts';
import { failureOf, signal, useRecordedKube } from '../recorded-kube.ts';
import { type PolicyObject, rulesIn } from './network-policy.ts';
import { created, managed, metadata, RecordedPolicies, updated, workload } from './recorded-policies.ts';

const recorded = useRecordedKube();
let policies: RecordedPolicies;

const calico = (ip: string, allowed: AllowedPeers = {}, order = 0) =>
  recorded.kube.adapters['calico.deny'](workload, ip, allowed, order, signal);

describe('calico.deny', () => {
  beforeEach(() => {
    policies = new RecordedPolicies(recorded.api, 'projectcalico.org/v3', 'networkpolicies');
  });
  const deny = (...nets: string[]) => ({ action: 'Deny', destination: { nets } });
  const allow = (...nets: string[]) => ({ action: 'Allow', destination: { nets } });
  const WORLD = allow('0.0.0.0/0');
  const egress = () => policies.policy()?.spec?.egress;

  it('makes a policy that denies the address and allows the world', async () => {
    expect(await calico('203.0.113.7')).toEqual(created);
    expect(policies.policy()).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata,
      spec: {
        order: 0,
        types: ['Egress'],
        selector: 'app == "web" && app.kubernetes.io/name == "x"',
        egress: [deny('203.0.113.7/32'), WORLD],
      },
    });
  });

  it.each<[AllowedPeers, object[]]>([
    [{}, [WORLD]],
    [{ cidrs: [] }, []],
    [{ namespaces: [] }, []],
    [{ cidrs: ['10.0.0.0/8', '1.0.0.0/8'] }, [allow('10.0.0.0/8', '1.0.0.0/8')]],
    [{ cidrs: ['fd00::/8', '10.0.0.0/8'] }, [allow('10.0.0.0/8'), allow('fd00::/8')]],
    [
      { namespaces: ['blue-ns', 'green-ns'] },
      [
        {
          action: 'Allow',
          destination: { namespaceSelector: "kubernetes.io/metadata.name in { 'blue-ns', 'green-ns' }" },
        },
      ],
    ],
  ])('allows by %j', async (allowed, allows) => {
    await calico('203.0.113.7', allowed);
    expect(egress()).toEqual([deny('203.0.113.7/32'), ...allows]);
  });

  it('adds addresses to the policy that is there, and follows the parameters', async () => {
    await calico('203.0.113.7', {}, 5);
    expect(await calico('203.0.113.8', { cidrs: ['10.0.0.0/8'] }, 20)).toEqual(updated);
    expect(policies.policy()?.spec).toMatchObject({
      order: 20,
      egress: [deny('203.0.113.7/32', '203.0.113.8/32'), allow('10.0.0.0/8')],
    });
    expect(policies.stored.size).toBe(1);
  });

  it('writes nothing for an address that is denied already, however it is written', async () => {
    await calico('2001:db8::1');
    expect(await calico('2001:DB8:0:0::1')).toEqual(updated);
    expect([policies.count('POST'), policies.count('PUT')]).toEqual([1, 0]);
  });

  it('keeps addresses of both versions apart: Calico takes no rule with both', async () => {
    for (const ip of ['2001:db8::1', '203.0.113.7', '::ffff:203.0.113.9']) await calico(ip);
    expect(egress()).toEqual([deny('203.0.113.7/32', '203.0.113.9/32'), deny('2001:db8::1/128'), WORLD]);
  });

  it('knows its rules again when the API server added empty objects to them', async () => {
    await calico('203.0.113.7');
    const { spec, ...mine } = policies.policy() as PolicyObject;
    const padded = rulesIn(spec?.egress).map((rule) => ({ source: {}, ...rule }));
    policies.put({ ...mine, spec: { ...spec, egress: padded } });
    await calico('203.0.113.7');
    expect(policies.count('PUT')).toBe(0);
    await calico('203.0.113.8');
    expect(egress()).toEqual([deny('203.0.113.7/32', '203.0.113.8/32'), WORLD]);
  });

  it('puts the rules of others between what it denies and what it allows', async () => {
    await calico('203.0.113.7');
    const { spec, ...mine } = policies.policy() as PolicyObject;
    const theirs = [deny('198.51.100.0/24'), { action: 'Log' }, allow('10.0.0.0/8')];
    const ingress = [{ action: 'Allow' }];
    const types = ['Ingress', 'Egress'];
    policies.put({
      ...mine,
      spec: { ...spec, types, ingress, egress: [...rulesIn(spec?.egress), ...theirs] },
    });
    await calico('203.0.113.8');
    expect(policies.policy()?.spec).toMatchObject({
      types,
      ingress,
      egress: [deny('203.0.113.7/32', '203.0.113.8/32'), ...theirs, WORLD],
    });
  });

  it('takes over what Falco Talon denied', async () => {
    const theirs = { action: 'Allow', protocol: 'UDP', destination: { ports: [53] } };
    const oldSelector = { namespaceSelector: "k8s.io/metadata.name in { 'x' }" };
    const old = [deny('203.0.113.1/32', '203.0.113.2/32'), WORLD, { action: 'Allow', destination: oldSelector }];
    policies.put({
      metadata: managed,
      spec: { order: 0, selector: 'old', types: ['Egress'], egress: [...old, theirs] },
    });
    await calico('203.0.113.2', { namespaces: ['y'] });
    expect(egress()).toEqual([
      deny('203.0.113.1/32', '203.0.113.2/32'),
      theirs,
      { action: 'Allow', destination: { namespaceSelector: "kubernetes.io/metadata.name in { 'y' }" } },
    ]);
  });

  it('leaves a rule that somebody edited to them, and begins another', async () => {
    for (const ip of ['203.0.113.7', '203.0.113.8']) await calico(ip);
    const { spec, ...mine } = policies.policy() as PolicyObject;
    policies.put({ ...mine, spec: { ...spec, egress: [deny('203.0.113.0/24'), WORLD] } });
    await calico('198.51.100.1');
    await calico('198.51.100.2');
    expect(egress()).toEqual([deny('198.51.100.1/32', '198.51.100.2/32'), deny('203.0.113.0/24'), WORLD]);
  });

  it('denies 1,000 addresses and no more, and says so', async () => {
    const nets = Array.from({ length: 1000 }, (_, index) => `198.51.${index >> 8}.${index & 255}/32`);
    policies.put({ metadata: managed, spec: { egress: [deny(...nets)] } });
    expect(await failureOf(calico('203.0.113.7'))).toMatchObject({
      code: 'refused',
      message:
        "the caliconetworkpolicy 'web' in the namespace 'shop' denies 1000 networks, which is the most: 203.0.113.7/32 has not been added",
    });
    expect(policies.count('PUT')).toBe(0);
    expect(await calico('198.51.3.1')).toEqual(updated);
    expect(egress()).toEqual([deny(...nets), WORLD]);
  });

  it.each([
    ['127.0.0.1', "the address '127.0.0.1' is a loopback address and will not be denied"],
    ['::ffff:7f00:1', "the address '127.0.0.1' is a loopback address and will not be denied"],
    ['169.254.1.1', "the address '169.254.1.1' is a link-local address and will not be denied"],
  ])('refuses to deny %s', async (ip, message) => {
    expect(await failureOf(calico(ip))).toMatchObject({ code: 'refused', message });
    expect(recorded.api.seen).toEqual([]);
  });

  it('refuses to deny what the settings protect', async () => {
    const kube = createKubeAdapters({ kubeconfig: recorded.api.kubeconfig(), protectedCidrs: ['10.96.0.0/12'] });
    await kube.init();
    const denied = kube.adapters['calico.deny'](workload, '10.96.0.10', {}, 0, signal);
    expect(await failureOf(denied)).toMatchObject({
      message: "the address '10.96.0.10' is among the protected networks and will not be denied",
    });
    await kube.close();
  });

  it.each(['', '1.2.3', '1.2.3.4/32', 'x', '::1%eth0'])('takes %j for no address', async (ip) => {
    expect(await failureOf(calico(ip))).toMatchObject({ code: 'door' });
  });

  it('names what is missing where Calico is not served', async () => {
    recorded.api.answers.set('GET /apis/projectcalico.org/v3/namespaces/shop/networkpolicies/web', {
      status: 404,
      body: '404 page not found\n',
    });
    expect(await failureOf(calico('203.0.113.7'))).toMatchObject({
      code: 'refused',
      message:
        "the API server does not serve networkpolicies.projectcalico.org of version v3, which come with Calico's API server, or its CRD networkpolicies.projectcalico.org",
    });
  });
});

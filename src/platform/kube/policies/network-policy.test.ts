import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CALICO, calicoDenial } from './calico-policy.ts';
import { CILIUM, ciliumDenial } from './cilium-policy.ts';
import { editPolicy, type PolicyObject, rulesIn } from './network-policy.ts';
import { workload } from './recorded-policies.ts';

describe('denied addresses', () => {
  const reachable = { cidrs: ['0.0.0.0/0'], namespaces: ['green'] };
  const kinds = [
    [CALICO, (network: string) => calicoDenial(workload.labels, { network, reachable, order: 0 })],
    [CILIUM, (network: string) => ciliumDenial(workload.labels, { network, reachable })],
  ] as const;
  const network = fc.oneof(
    fc.ipV4().map((ip) => `${ip}/32`),
    fc.ipV6().map((ip) => `${ip}/128`),
  );

  it.each(kinds)('are the same set in whatever order they come, and repeats change nothing: %#', (kind, denial) => {
    const denying = (networks: readonly string[]) =>
      networks.reduce<PolicyObject | undefined>(
        (found, each) => editPolicy(kind, workload, 'web', found, denial(each)),
        undefined,
      );
    const setOf = (policy: PolicyObject | undefined) => {
      const rules = rulesIn(policy?.spec?.egressDeny ?? policy?.spec?.egress);
      const nets = rules.flatMap(({ action, destination, toCIDR }) =>
        toCIDR ? toCIDR : action === 'Deny' ? (destination as { nets: string[] }).nets : [],
      );
      return nets.sort();
    };
    const lists = fc
      .array(network, { minLength: 1, maxLength: 30 })
      .chain((networks) =>
        fc.tuple(fc.constant(networks), fc.shuffledSubarray(networks, { minLength: networks.length })),
      );
    fc.assert(
      fc.property(lists, ([networks, shuffled]) => {
        const policy = denying(networks);
        expect(setOf(policy)).toEqual([...new Set(networks)].sort());
        expect(setOf(denying(shuffled))).toEqual(setOf(policy));
        expect(denying([...networks, ...shuffled])).toEqual(policy);
      }),
    );
  });
});

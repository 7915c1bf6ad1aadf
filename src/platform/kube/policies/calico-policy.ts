import { ipVersion } from '../../../model/ip-address.ts';
import {
  hasOnly,
  including,
  type PolicyEdit,
  type PolicyKind,
  type PolicyRule,
  rulesIn,
  textsIn,
  withNetwork,
} from './network-policy.ts';
import type { ReachablePeers } from './reachable-peers.ts';

/** The policies of Calico, in the API that its own API server or its definitions give. */
export const CALICO: PolicyKind = {
  group: 'projectcalico.org',
  version: 'v3',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  called: 'caliconetworkpolicy',
  comesWith: "Calico's API server, or its CRD networkpolicies.projectcalico.org",
  looksWritten: ({ action, ...rule }) =>
    (action === 'Deny' && hasOnly(rule, 'destination') && hasOnly(rule.destination, 'nets')) ||
    (action === 'Allow' && hasOnly(rule, 'destination') && isWrittenPlace(rule.destination)),
};

export interface CalicoDenial {
  /** That of the address alone. */
  readonly network: string;
  readonly reachable: ReachablePeers;
  /** Of the policy among those of the cluster; the lowest counts first. */
  readonly order: number;
}

/**
 * Denies one more network to a workload. The first rule that fits a connection decides, so that the rules of others stand between: behind
 * what is denied, before what is allowed.
 */
export function calicoDenial(
  labels: Readonly<Record<string, string>>,
  { network, reachable: { cidrs, namespaces }, order }: CalicoDenial,
): PolicyEdit {
  const allows = [
    ...byVersion(cidrs).map((nets) => ({ action: 'Allow', destination: { nets } })),
    ...(namespaces.length === 0 ? [] : [allowNamespaces(namespaces)]),
  ];
  const selector = Object.entries(labels)
    .map(([key, value]) => `${key} == "${value}"`)
    .join(' && ');
  return ({ spec: before, isWritten, named }) => {
    const rules = rulesIn(before.egress);
    const denied = withNetwork(rules.filter(isWritten).flatMap(deniedBy), network, named);
    const denies = byVersion(denied).map((nets) => ({ action: 'Deny', destination: { nets } }));
    const spec = {
      ...before,
      order,
      types: including(before.types, 'Egress'),
      selector,
      egress: [...denies, ...rules.filter((rule) => !isWritten(rule)), ...allows],
    };
    return { spec, written: [...denies, ...allows] };
  };
}

function allowNamespaces(namespaces: readonly string[]): PolicyRule {
  const names = namespaces.map((name) => `'${name}'`).join(', ');
  return { action: 'Allow', destination: { namespaceSelector: `kubernetes.io/metadata.name in { ${names} }` } };
}

/** Calico takes no rule with networks of both versions. */
function byVersion(networks: readonly string[]): readonly (readonly string[])[] {
  const isOfVersion4 = (network: string) => ipVersion(network.slice(0, network.indexOf('/'))) === 4;
  const both = [networks.filter(isOfVersion4), networks.filter((network) => !isOfVersion4(network))];
  return both.filter(({ length }) => length > 0);
}

function deniedBy({ action, destination }: PolicyRule): readonly string[] {
  return action === 'Deny' && hasOnly(destination, 'nets') ? textsIn(destination.nets) : [];
}

function isWrittenPlace(destination: unknown): boolean {
  if (hasOnly(destination, 'nets')) return true;
  return hasOnly(destination, 'namespaceSelector') && /^k8s\.io\//.test(String(destination.namespaceSelector));
}

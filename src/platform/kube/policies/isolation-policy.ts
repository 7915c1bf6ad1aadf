import { hasOnly, including, type PolicyEdit, type PolicyKind, type PolicyRule, rulesIn } from './network-policy.ts';
import type { ReachablePeers } from './reachable-peers.ts';

/** The network policies of Kubernetes itself. */
export const NETWORK_POLICY: PolicyKind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  called: 'networkpolicy',
  comesWith: 'Kubernetes',
  looksWritten: (rule) => hasOnly(rule, 'to') && rulesIn(rule.to).every(isWrittenPeer),
};

/** The label that every namespace has. Falco Talon selects by another, which none has, so that its policies allow no namespace. */
const NAMESPACE = 'kubernetes.io/metadata.name';

/** Lets a workload connect to nobody else: its policy has one rule for them, or none at all. */
export function isolation(labels: Readonly<Record<string, string>>, { cidrs, namespaces }: ReachablePeers): PolicyEdit {
  const to = [
    ...cidrs.map((cidr) => ({ ipBlock: { cidr } })),
    ...namespaces.map((name) => ({ namespaceSelector: { matchLabels: { [NAMESPACE]: name } } })),
  ];
  const written = to.length === 0 ? [] : [{ to }];
  return ({ spec: { egress: before, ...others }, isWritten }) => {
    const egress = [...written, ...rulesIn(before).filter((rule) => !isWritten(rule))];
    const spec = {
      ...others,
      podSelector: { matchLabels: labels },
      policyTypes: including(others.policyTypes, 'Egress'),
      ...(egress.length > 0 && { egress }),
    };
    return { spec, written };
  };
}

function isWrittenPeer(peer: PolicyRule): boolean {
  return (
    (hasOnly(peer, 'ipBlock') && hasOnly(peer.ipBlock, 'cidr')) ||
    (hasOnly(peer, 'namespaceSelector') &&
      hasOnly(peer.namespaceSelector, 'matchLabels') &&
      hasOnly(peer.namespaceSelector.matchLabels, 'k8s.io/metadata.name'))
  );
}

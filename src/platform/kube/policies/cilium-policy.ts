import {
  hasOnly,
  type PolicyEdit,
  type PolicyKind,
  type PolicyRule,
  rulesIn,
  textsIn,
  withNetwork,
} from './network-policy.ts';
import type { ReachablePeers } from './reachable-peers.ts';

/** The policies of Cilium. */
export const CILIUM: PolicyKind = {
  group: 'cilium.io',
  version: 'v2',
  kind: 'CiliumNetworkPolicy',
  plural: 'ciliumnetworkpolicies',
  called: 'ciliumnetworkpolicy',
  comesWith: "Cilium's CRD ciliumnetworkpolicies.cilium.io",
  looksWritten: (rule) => hasOnly(rule, 'toCIDR') || (hasOnly(rule, 'toEndpoints') && isWrittenPlace(rule.toEndpoints)),
};

/** What Cilium calls the namespace of a pod. */
const NAMESPACE = 'k8s:io.kubernetes.pod.namespace';

export interface CiliumDenial {
  /** That of the address alone. */
  readonly network: string;
  readonly reachable: ReachablePeers;
}

/** Denies one more network to a workload. What is denied counts before what is allowed, whoever wrote it. */
export function ciliumDenial(
  labels: Readonly<Record<string, string>>,
  { network, reachable: { cidrs, namespaces } }: CiliumDenial,
): PolicyEdit {
  const allows = [
    ...(cidrs.length === 0 ? [] : [{ toCIDR: cidrs }]),
    ...(namespaces.length === 0 ? [] : [allowNamespaces(namespaces)]),
  ];
  return ({ spec: { egress, ...before }, isWritten, named }) => {
    const isForeign = (rule: PolicyRule) => !isWritten(rule);
    const denials = rulesIn(before.egressDeny);
    const denied = withNetwork(
      denials.filter(isWritten).flatMap(({ toCIDR }) => textsIn(toCIDR)),
      network,
      named,
    );
    const deny = { toCIDR: denied };
    const allowed = [...allows, ...rulesIn(egress).filter(isForeign)];
    const spec = {
      ...before,
      description: 'Network policy created by Falco Talon',
      endpointSelector: { matchLabels: labels },
      egressDeny: [deny, ...denials.filter(isForeign)],
      ...(allowed.length > 0 && { egress: allowed }),
    };
    return { spec, written: [deny, ...allows] };
  };
}

function allowNamespaces(values: readonly string[]): PolicyRule {
  return { toEndpoints: [{ matchExpressions: [{ key: NAMESPACE, operator: 'In', values }] }] };
}

function isWrittenPlace(endpoints: unknown): boolean {
  return rulesIn(endpoints).every(
    (endpoint) =>
      hasOnly(endpoint, 'matchExpressions') &&
      rulesIn(endpoint.matchExpressions).every(({ key }) => key === 'k8s:io/metadata.name'),
  );
}

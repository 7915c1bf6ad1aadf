import type { AllowedPeers, NetworkPeer } from '../../../model/capability.ts';
import { DoorError } from '../../../model/door-error.ts';
import { isCidr } from '../../../model/ip-address.ts';
import { isNamespaceName } from '../../../model/kube-names.ts';

/** What a policy lets a workload connect to. */
export interface ReachablePeers {
  readonly cidrs: readonly string[];
  readonly namespaces: readonly string[];
}

/** What stays reachable beside a denied address where the rule does not say anything. */
const WORLD = ['0.0.0.0/0'];

/** Only where both lists are left out, the world is reachable; an empty list allows nobody. */
export function besideDenied({ cidrs, namespaces }: AllowedPeers): ReachablePeers {
  const isSilent = cidrs === undefined && namespaces === undefined;
  return checked({ cidrs: isSilent ? WORLD : (cidrs ?? []), namespaces: namespaces ?? [] });
}

/** The same peers, networks and namespaces apart. */
export function ofIsolated(peers: readonly NetworkPeer[]): ReachablePeers {
  return checked({
    cidrs: peers.flatMap((peer) => ('cidr' in peer ? [peer.cidr] : [])),
    namespaces: peers.flatMap((peer) => ('namespace' in peer ? [peer.namespace] : [])),
  });
}

/** They become parts of expressions. */
function checked(peers: ReachablePeers): ReachablePeers {
  if (peers.cidrs.every(isCidr) && peers.namespaces.every(isNamespaceName)) return peers;
  throw new DoorError('door', 'malformed argument: networks or namespaces');
}

import type { AdaptersOf } from '../../../model/door-row.ts';
import type { KubeClient } from '../kube-client.ts';
import { CALICO, calicoDenial } from './calico-policy.ts';
import { CILIUM, ciliumDenial } from './cilium-policy.ts';
import { isolation, NETWORK_POLICY } from './isolation-policy.ts';
import { ProtectedAddresses } from './protected-addresses.ts';
import { putPolicy } from './put-policy.ts';
import { besideDenied, ofIsolated } from './reachable-peers.ts';

interface Means {
  readonly open: () => KubeClient;
  /** Networks that are not to be denied. */
  readonly protectedCidrs: readonly string[];
}

/** The doors that make and change network policies. */
export function networkPolicyDoors({
  open,
  protectedCidrs,
}: Means): AdaptersOf<'networkpolicies' | 'calico' | 'cilium'> {
  const protectedAddresses = new ProtectedAddresses(protectedCidrs);
  const networkOf = (client: KubeClient, ip: string) =>
    protectedAddresses.networkOf(ip, client.config.getCurrentCluster()?.server ?? '');
  return {
    'networkpolicies.apply': async (workload, peers, signal) => {
      const edit = isolation(workload.labels, ofIsolated(peers));
      return putPolicy(open(), { kind: NETWORK_POLICY, workload, edit }, signal);
    },
    'calico.deny': async (workload, ip, allowed, order, signal) => {
      const client = open();
      const denial = { network: await networkOf(client, ip), reachable: besideDenied(allowed), order };
      const edit = calicoDenial(workload.labels, denial);
      return putPolicy(client, { kind: CALICO, workload, edit }, signal);
    },
    'cilium.deny': async (workload, ip, allowed, signal) => {
      const client = open();
      const denial = { network: await networkOf(client, ip), reachable: besideDenied(allowed) };
      const edit = ciliumDenial(workload.labels, denial);
      return putPolicy(client, { kind: CILIUM, workload, edit }, signal);
    },
  };
}

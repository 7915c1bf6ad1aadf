import { stringify } from 'yaml';
import type { KubeGrant } from '../model/grant.ts';

/** The ClusterRole, as YAML, that gives these rights and no others. */
export function clusterRole(grants: readonly KubeGrant[], name = 'falco-talon'): string {
  return stringify(clusterRoleObject(grants, name));
}

/** The same as an object. */
export function clusterRoleObject(grants: readonly KubeGrant[], name = 'falco-talon') {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: grants.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs })),
  };
}

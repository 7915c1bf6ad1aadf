import { stringify } from 'yaml';
import type { Door } from '../model/capability.ts';
import { grants } from '../model/doors.ts';

/** The ClusterRole, as YAML, that lets Talon open these doors and do nothing else. */
export function clusterRole(uses: readonly Door[]): string {
  const rules = grants(uses).map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }));
  return stringify({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'falco-talon' },
    rules,
  });
}

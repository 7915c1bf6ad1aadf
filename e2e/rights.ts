import { catalog } from '../src/cli/catalog.ts';
import { grants } from '../src/model/doors.ts';
import type { PolicyRule } from './cluster/use-cluster.ts';

/** The rights that the doors of an actionner cost, as rules of a ClusterRole. */
export function rightsOf(actionner: string): readonly PolicyRule[] {
  const behaviour = catalog.actionners.get(actionner)?.behaviour;
  if (!behaviour) throw new Error(`no such actionner, or not one that acts: ${actionner}`);
  return grants(behaviour.uses).map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }));
}

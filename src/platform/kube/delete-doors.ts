import { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import { objectNotFound } from '../../model/kube-names.ts';
import type { ObjectTarget } from '../../model/targets.ts';
import type { KubeDoorMeans } from './kube-adapters.ts';
import type { KubeApis, SentBy } from './kube-client.ts';
import { whenMissing } from './when-missing.ts';

/** Deletes the objects of audit alerts, each in the way that the API server holds for the right one. */
export function deleteDoors({ open }: Pick<KubeDoorMeans, 'open'>): AdaptersOf<'objects'> {
  return {
    'objects.delete': async (object, signal) => {
      const { apis, sent } = open();
      const remove = DELETIONS[object.resource];
      // The doors are told of no others; this says so if that should change.
      if (!remove) throw new DoorError('door', `no object of the kind \`${object.resource}\` can be deleted`);
      await remove(apis, object, sent(signal)).catch(whenMissing(() => objectNotFound(object)));
    },
  };
}

type Deletion = (apis: KubeApis, object: Pick<ObjectTarget, 'name' | 'namespace'>, sent: SentBy) => Promise<unknown>;

/** By the resources of DELETABLE. */
const DELETIONS: Readonly<Record<string, Deletion>> = {
  namespaces: ({ core }, { name }, sent) => core.deleteNamespace({ name }, sent),
  configmaps: ({ core }, object, sent) => core.deleteNamespacedConfigMap(object, sent),
  secrets: ({ core }, object, sent) => core.deleteNamespacedSecret(object, sent),
  services: ({ core }, object, sent) => core.deleteNamespacedService(object, sent),
  serviceaccounts: ({ core }, object, sent) => core.deleteNamespacedServiceAccount(object, sent),
  deployments: ({ apps }, object, sent) => apps.deleteNamespacedDeployment(object, sent),
  daemonsets: ({ apps }, object, sent) => apps.deleteNamespacedDaemonSet(object, sent),
  statefulsets: ({ apps }, object, sent) => apps.deleteNamespacedStatefulSet(object, sent),
  replicasets: ({ apps }, object, sent) => apps.deleteNamespacedReplicaSet(object, sent),
  roles: ({ rbac }, object, sent) => rbac.deleteNamespacedRole(object, sent),
  clusterroles: ({ rbac }, { name }, sent) => rbac.deleteClusterRole({ name }, sent),
};

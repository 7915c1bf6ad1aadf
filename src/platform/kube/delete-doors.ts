import { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import { DELETABLE, objectNotFound } from '../../model/kube-names.ts';
import type { ObjectTarget } from '../../model/targets.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeDoorMeans } from './kube-door-means.ts';
import { whenMissing } from './when-missing.ts';

/** Deletes the objects of audit alerts, each in the way that the API server holds for the right one. */
export function deleteDoors({ open }: Pick<KubeDoorMeans, 'open'>): AdaptersOf<'objects'> {
  return {
    'objects.uid': async (object, signal) => uidOf(open(), object, signal),
    'objects.delete': async (object, signal) => {
      const client = open();
      const uid = object.uid ?? (await uidOf(client, object, signal));
      await remove(client, object, { preconditions: { uid } }, signal);
    },
  };
}

/**
 * The UID of the object that has the name now: the API server tells it when it is asked to try a deletion. To read the object
 * would take more rights.
 */
async function uidOf(client: KubeClient, object: ObjectTarget, signal: AbortSignal): Promise<string> {
  // The API server reads the body alone where there is one; the query is for a body that gets lost on the way.
  const answer = await remove(client, object, { dryRun: ['All'] }, signal, '?dryRun=All');
  const { details, metadata } = answer as { readonly [K in 'details' | 'metadata']?: { readonly uid?: string } };
  // A status has details; some kinds, and objects that are not gone at once, are told themselves.
  const uid = details?.uid ?? metadata?.uid;
  if (uid) return uid;
  throw new DoorError('refused', 'the Kubernetes API did not tell the UID of the object');
}

async function remove(
  { deleteAt }: KubeClient,
  object: ObjectTarget,
  options: object,
  signal: AbortSignal,
  query = '',
): Promise<unknown> {
  return deleteAt(`${pathOf(object)}${query}`, options, signal).catch(whenMissing(() => objectNotFound(object)));
}

/** Kinds that are in no namespace. */
const CLUSTERED = ['namespaces', 'clusterroles'];

function pathOf({ resource, name, namespace }: ObjectTarget): string {
  const group = Object.hasOwn(DELETABLE, resource) ? DELETABLE[resource] : undefined;
  // The doors are told of no others; this says so if that should change.
  if (group === undefined) throw new DoorError('door', `no object of the kind \`${resource}\` can be deleted`);
  const base = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  const place = CLUSTERED.includes(resource) ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${base}${place}/${resource}/${encodeURIComponent(name)}`;
}

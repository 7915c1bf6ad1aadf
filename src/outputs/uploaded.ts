import type { ActionResult } from '../model/outcome.ts';
import type { ArtifactRef, StoreRef } from '../model/references.ts';

/** How an upload into a bucket ends. The prefix in the objects is the one in effect, and with it begins the key in the text. */
export function uploaded(artifact: ArtifactRef, store: StoreRef, key: string): ActionResult & { status: 'success' } {
  const { name: bucket, prefix, region } = store;
  return {
    status: 'success',
    output: `the file '${artifact.name}' has been uploaded as the key '${prefix}${key}' to the bucket '${bucket}'`,
    objects: { file: artifact.name, bucket, prefix, key, ...(region && { region }) },
  };
}

import type { Dispatcher } from 'undici';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { ArtifactFacts } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactTarget, StoreTarget } from '../../model/targets.ts';
import { artifactBytes } from '../artifact-bytes.ts';
import { bucketMissing, checkObjectKey } from '../bucket-name.ts';
import { objectMetadata } from '../object-metadata.ts';
import { askGoogle, GoogleRefusal } from './google-request.ts';

export interface GcsMeans {
  /** URL of the service. */
  readonly endpoint: string;
  /** Value of the `Authorization` header; undefined for a server that wants none. */
  readonly authorization: string | undefined;
  readonly dispatcher: Dispatcher;
  readonly spool: ArtifactSpool;
}

export interface GcsUpload {
  readonly store: StoreTarget;
  readonly artifact: ArtifactTarget;
  /** Below the prefix of the store. */
  readonly key: string;
  readonly facts: ArtifactFacts;
}

/**
 * Puts an artifact into a bucket of Cloud Storage, whose name was checked (JSON API, the protocol of resumable uploads): one request that names the
 * object, and one with its bytes, read from the spool while they are sent. The object is there when all of them are.
 *
 * @throws DoorError
 */
export async function putGcsObject(upload: GcsUpload, means: GcsMeans, signal: AbortSignal): Promise<void> {
  const { store, artifact, key, facts } = upload;
  const { dispatcher } = means;
  const name = store.prefix + key;
  checkObjectKey(name);
  const query = new URLSearchParams({ uploadType: 'resumable', name });
  const session = await askGoogle(
    {
      method: 'POST',
      url: `${means.endpoint}/upload/storage/v1/b/${encodeURIComponent(store.name)}/o?${query}`,
      headers: {
        ...authorizationOf(means),
        'content-type': 'application/json; charset=UTF-8',
        'x-upload-content-type': artifact.mediaType,
        'x-upload-content-length': String(artifact.size),
      },
      body: JSON.stringify({ name, contentType: artifact.mediaType, metadata: objectMetadata(facts, artifact) }),
    },
    dispatcher,
    signal,
  );
  const stored = sizeOf(await sendBytes(sessionUrl(session.headers.location), artifact, means, signal));
  if (stored !== artifact.size) {
    throw new DoorError('busy', `the bucket has ${stored ?? 'no'} bytes of ${artifact.size}`);
  }
}

/** The address of a session is what allows to write to it: no token goes there. */
async function sendBytes(
  url: string,
  artifact: ArtifactTarget,
  { spool, dispatcher }: GcsMeans,
  signal: AbortSignal,
): Promise<string> {
  const headers = { 'content-type': artifact.mediaType, 'content-length': String(artifact.size) };
  const body = artifactBytes(spool, artifact);
  try {
    const sent = { method: 'PUT', url, headers, ...(artifact.size > 0 && { body }) } as const;
    return (await askGoogle(sent, dispatcher, signal)).text;
  } finally {
    body.destroy();
  }
}

/**
 * Whether a bucket is there. Resolves also when nobody may ask.
 *
 * @throws DoorError, Falco Talon's text for one that is not
 */
export async function checkGcsBucket(bucket: string, means: GcsMeans, signal: AbortSignal): Promise<void> {
  const url = `${means.endpoint}/storage/v1/b/${encodeURIComponent(bucket)}?fields=name`;
  try {
    await askGoogle({ method: 'GET', url, headers: authorizationOf(means) }, means.dispatcher, signal);
  } catch (error) {
    if (!(error instanceof GoogleRefusal)) throw error;
    if (error.status === 404) throw bucketMissing(bucket);
    if (error.status !== 403) throw error;
  }
}

function authorizationOf({ authorization }: GcsMeans): Record<string, string> {
  return authorization === undefined ? {} : { authorization };
}

function sessionUrl(location: string | string[] | undefined): string {
  if (typeof location === 'string' && URL.canParse(location)) return location;
  throw new DoorError('busy', 'Cloud Storage began no upload');
}

function sizeOf(text: string): number | undefined {
  try {
    const { size } = JSON.parse(text) as { readonly size?: unknown };
    return typeof size === 'string' || typeof size === 'number' ? Number(size) : undefined;
  } catch {
    return undefined;
  }
}

import { createHash, getFips, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { ArtifactFacts } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactTarget, StoreTarget } from '../../model/targets.ts';
import { artifactBytes } from '../artifact-bytes.ts';
import { bucketMissing, checkObjectKey, keyTaken } from '../bucket-name.ts';
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
 * object, and one with its bytes, read from the spool while they are sent. The object is there when all of them are; what it is
 * made of is compared with what was sent, by the sum that Cloud Storage answers with.
 *
 * @throws DoorError
 */
export async function putGcsObject(upload: GcsUpload, means: GcsMeans, signal: AbortSignal): Promise<void> {
  try {
    await put(upload, means, signal);
  } catch (error) {
    const isTaken = upload.store.keepsExisting && error instanceof GoogleRefusal && error.status === 412;
    if (!isTaken) throw error;
    await checkIsStored(upload, means, signal);
  }
}

/** Whether the object that has the key is the artifact: an earlier try got so far. @throws DoorError if it is another one */
async function checkIsStored({ store, artifact, key }: GcsUpload, means: GcsMeans, signal: AbortSignal): Promise<void> {
  const object = `${encodeURIComponent(store.name)}/o/${encodeURIComponent(store.prefix + key)}`;
  const url = `${means.endpoint}/storage/v1/b/${object}?fields=metadata`;
  const asked = { method: 'GET', url, headers: authorizationOf(means) } as const;
  const text = await askGoogle(asked, means.dispatcher, signal).then(
    (found) => found.text,
    () => '',
  );
  if (sumIn(text) !== artifact.sha256) throw keyTaken(store, key);
}

function sumIn(text: string): unknown {
  try {
    const { metadata } = JSON.parse(text) as { readonly metadata?: { readonly sha256?: unknown } };
    return metadata?.sha256;
  } catch {
    return undefined;
  }
}

async function put(upload: GcsUpload, means: GcsMeans, signal: AbortSignal): Promise<void> {
  const { store, artifact, key, facts } = upload;
  const { dispatcher } = means;
  const name = store.prefix + key;
  checkObjectKey(name);
  const query = new URLSearchParams({
    uploadType: 'resumable',
    name,
    ...(store.keepsExisting && { ifGenerationMatch: '0' }),
  });
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
  // For what got lost or mixed up on the way, not for what somebody does on purpose. There is none under FIPS.
  const sum = getFips() === 0 ? createHash('md5') : undefined;
  const stored = storedOf(await sendBytes(sessionUrl(session.headers.location), artifact, means, { sum, signal }));
  if (stored.size !== artifact.size) {
    throw new DoorError('busy', `the bucket has ${stored.size ?? 'no'} bytes of ${artifact.size}`);
  }
  if (sum && stored.md5 !== undefined && stored.md5 !== sum.digest('base64')) {
    throw new DoorError('busy', 'the bucket has other bytes than were sent');
  }
}

/** The address of a session is what allows to write to it: no token goes there. */
async function sendBytes(
  url: string,
  artifact: ArtifactTarget,
  { spool, dispatcher }: GcsMeans,
  { sum, signal }: { readonly sum: Hash | undefined; readonly signal: AbortSignal },
): Promise<string> {
  const headers = { 'content-type': artifact.mediaType, 'content-length': String(artifact.size) };
  const body = artifactBytes(spool, artifact);
  try {
    const sent = {
      method: 'PUT',
      url,
      headers,
      ...(artifact.size > 0 && { body: Readable.from(summed(body, sum)) }),
    } as const;
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

async function* summed(bytes: AsyncIterable<Uint8Array>, sum: Hash | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    sum?.update(chunk);
    yield chunk;
  }
}

/** What Cloud Storage says of an object: its bytes, and their MD5 in base64. */
function storedOf(text: string): { readonly size?: number; readonly md5?: string } {
  try {
    const { size, md5Hash } = JSON.parse(text) as { readonly size?: unknown; readonly md5Hash?: unknown };
    return {
      ...((typeof size === 'string' || typeof size === 'number') && { size: Number(size) }),
      ...(typeof md5Hash === 'string' && { md5: md5Hash }),
    };
  } catch {
    return {};
  }
}

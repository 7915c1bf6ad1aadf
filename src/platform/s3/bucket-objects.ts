import {
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { ArtifactFacts } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactTarget, StoreTarget } from '../../model/targets.ts';
import { artifactBytes } from '../artifact-bytes.ts';
import { bucketMissing, checkObjectKey, keyTaken } from '../bucket-name.ts';
import { objectMetadata } from '../object-metadata.ts';
import { sdkFailure, sdkStatus } from './sdk-failure.ts';

/** An artifact on its way into a bucket. */
export interface Upload {
  readonly store: StoreTarget;
  readonly artifact: ArtifactTarget;
  /** Below the prefix of the store. */
  readonly key: string;
  readonly facts: ArtifactFacts;
}

export interface UploadMeans {
  readonly client: S3Client;
  readonly spool: ArtifactSpool;
  /** Whether the service knows checksums of objects, and keeps them. Some that speak S3 refuse such requests. */
  readonly keepsChecksum: boolean;
}

/**
 * Puts an artifact into a bucket in one request, read from the spool while it is sent. The service compares what arrived with
 * the sum that the signature covers, so that the object is whole or not there.
 *
 * @throws DoorError
 */
export async function putObject(upload: Upload, means: UploadMeans, signal: AbortSignal): Promise<void> {
  const { store, artifact, key, facts } = upload;
  const { client, spool, keepsChecksum } = means;
  const { size, sha256, mediaType } = artifact;
  checkObjectKey(store.prefix + key);
  const body = artifactBytes(spool, artifact);
  const command = new PutObjectCommand({
    Bucket: store.name,
    Key: store.prefix + key,
    Body: body,
    ContentLength: size,
    ContentType: mediaType,
    Metadata: objectMetadata(facts, artifact),
    ...(keepsChecksum && { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }),
    ...wishesOf(store),
  });
  command.middlewareStack.add(
    (next) => (given) => {
      const { headers } = given.request as { readonly headers: Record<string, string> };
      headers['x-amz-content-sha256'] = sha256;
      return next(given);
    },
    { step: 'build', name: 'signSumOfArtifact' },
  );
  // The client waits on for a body that has broken off.
  const broken = new AbortController();
  body.once('error', (error) => broken.abort(error));
  try {
    await client.send(command, { abortSignal: AbortSignal.any([signal, broken.signal]) });
  } catch (error) {
    if (body.errored instanceof DoorError) throw body.errored;
    if (sdkStatus(error) !== 412 || !store.keepsExisting) throw sdkFailure(error, signal);
    await checkIsStored(upload, client, signal);
  } finally {
    body.destroy();
  }
}

const DAY = 86_400_000;

/** What the rule wants of the object beside its content. */
function wishesOf({ keepsExisting, encryption, lock }: StoreTarget): Partial<PutObjectCommandInput> {
  return {
    ...(keepsExisting && { IfNoneMatch: '*' }),
    ...(encryption && { ServerSideEncryption: encryption.kind }),
    ...(encryption?.key && { SSEKMSKeyId: encryption.key }),
    ...(lock && { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: new Date(Date.now() + lock.days * DAY) }),
  };
}

/** Whether the object that has the key is the artifact: an earlier try got so far. @throws DoorError if it is another one */
async function checkIsStored({ store, artifact, key }: Upload, client: S3Client, signal: AbortSignal): Promise<void> {
  const asked = new HeadObjectCommand({ Bucket: store.name, Key: store.prefix + key });
  const found = await client.send(asked, { abortSignal: signal }).catch(() => undefined);
  if (found?.Metadata?.sha256 !== artifact.sha256) throw keyTaken(store, key);
}

/**
 * Whether a bucket is there. Resolves also when nobody may ask.
 *
 * @throws DoorError, Falco Talon's text for one that is not
 */
export async function checkBucket(client: S3Client, bucket: string, signal: AbortSignal): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal });
  } catch (error) {
    const status = sdkStatus(error);
    if (status === 403) return;
    if (status === 404) throw bucketMissing(bucket);
    if (status === 301) throw new DoorError('refused', `the bucket '${bucket}' is in another region`);
    throw sdkFailure(error, signal);
  }
}

import { DoorError } from '../model/door-error.ts';

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/;
/** Access points of S3 are named in place of their buckets. */
const ARN = /^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:[A-Za-z0-9/:_.-]+$/;

/**
 * Lets through what can be the name of a bucket, so that no part of a URL can be anything else.
 *
 * @throws DoorError of code `refused`
 */
export function checkBucketName(bucket: string, { arns = false } = {}): void {
  if (NAME.test(bucket) && !bucket.includes('..')) return;
  if (arns && bucket.length <= 2048 && ARN.test(bucket) && !/(^|[/:])\.+([/:]|$)/.test(bucket)) return;
  throw new DoorError('refused', `'${bucket.slice(0, 100)}' is not the name of a bucket`);
}

/** Falco Talon's error for a bucket that is certainly not there. */
export function bucketMissing(bucket: string): DoorError {
  return new DoorError('refused', `the bucket '${bucket}' does not exist`);
}

/** The error for an object that is not to be replaced. */
export function keyTaken({ name, prefix }: { readonly name: string; readonly prefix: string }, key: string): DoorError {
  return new DoorError('refused', `the bucket '${name}' has another object of the key '${prefix}${key}'`);
}

/** Bytes that stores take for a key. */
const LONGEST_KEY = 1024;

/**
 * Lets through what can be the whole key of an object: no control characters, and nothing that something on the way could take
 * for another folder.
 *
 * @throws DoorError of code `refused`
 */
export function checkObjectKey(key: string): void {
  const odd = /[\p{Cc}\p{Surrogate}\\]|(?:^|\/)\.{0,2}(?:\/|$)/u.test(key);
  if (!odd && Buffer.byteLength(key) <= LONGEST_KEY) return;
  throw new DoorError('refused', `'${key.slice(0, 100)}' cannot be the key of an object`);
}

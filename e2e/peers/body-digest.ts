import { createHash } from 'node:crypto';

/** SHA-256, in hexadecimal digits, of a body too large to be held. */
export async function bodyDigest({ body }: Response): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body ?? []) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

import { createHash } from 'node:crypto';
import { BUNDLE_FORMAT, type BundleData } from './bundle.ts';

/**
 * The revision of a bundle: the SHA-256 digest of its rules, guards, grants and sources, in hexadecimal digits. It does not
 * depend on compression, on the names of files, or on when and where the bundle was made.
 *
 * @param sources texts of the files of rules and of policies, in their order
 */
export function bundleRevision(
  { rules, guards, grants }: Pick<BundleData, 'rules' | 'guards' | 'grants'>,
  sources: { readonly rules: readonly string[]; readonly policies: readonly string[] },
): string {
  return createHash('sha256')
    .update(JSON.stringify([BUNDLE_FORMAT, rules, guards, grants, sources.rules, sources.policies]))
    .digest('hex');
}

/** What `data.json` says of the policy module: its SHA-256 digest, in hexadecimal digits. */
export function moduleDigest(module: Uint8Array): string {
  return createHash('sha256').update(module).digest('hex');
}

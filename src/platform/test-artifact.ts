import { createHash } from 'node:crypto';
import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { ArtifactTarget } from '../model/targets.ts';

/** For tests: an artifact whose handle is its content. */
export function testArtifact(content: string, mediaType = 'application/octet-stream'): ArtifactTarget {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const size = Buffer.byteLength(content);
  return { kind: 'artifact', handle: content, name: 'capture', size, sha256, mediaType };
}

/** For tests: a spool of such artifacts. Each comes in pieces. */
export const contentSpool: ArtifactSpool = {
  write: () => Promise.reject(new Error('nothing is written here')),
  async *read(handle) {
    const bytes = Buffer.from(handle);
    for (let at = 0; at < bytes.length; at += 7_000) yield bytes.subarray(at, at + 7_000);
  },
};

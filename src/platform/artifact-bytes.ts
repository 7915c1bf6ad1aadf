import { Readable } from 'node:stream';
import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { ArtifactTarget } from '../model/targets.ts';
import { wholeArtifact } from './whole-artifact.ts';

/**
 * The bytes of an artifact as a stream that reads little ahead, so that the memory does not fill with what the network has not
 * taken yet. To be destroyed by whoever opened it: an answer may come before all was sent.
 */
export function artifactBytes(spool: ArtifactSpool, artifact: ArtifactTarget): Readable {
  const bytes = Readable.from(wholeArtifact(spool, artifact), { objectMode: false });
  // Nobody listens any more once the answer is there.
  bytes.on('error', () => undefined);
  return bytes;
}

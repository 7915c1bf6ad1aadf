import { createHash } from 'node:crypto';
import type { ArtifactSpool } from '../model/artifact-spool.ts';
import { DoorError } from '../model/door-error.ts';
import type { ArtifactTarget } from '../model/targets.ts';

/** What may pass by itself. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'EIO', 'ENOMEM']);

/**
 * The bytes of an artifact, compared with what was recorded when it was made: a disk may lose them, and somebody may have been at the
 * file while the server was down. The last piece comes only after that, so that whoever waits for all of them gets no others.
 *
 * @throws DoorError: `refused` for other bytes, or none; `busy` for what may be read later
 */
export async function* wholeArtifact(
  spool: ArtifactSpool,
  { handle, size, sha256 }: ArtifactTarget,
): AsyncGenerator<Uint8Array> {
  const sum = createHash('sha256');
  let bytes = 0;
  let last: Uint8Array | undefined;
  for await (const chunk of readable(spool, handle)) {
    bytes += chunk.length;
    sum.update(chunk);
    if (last) yield last;
    last = chunk;
  }
  if (bytes !== size) throw damaged(`${bytes} bytes are left of ${size}`);
  if (sum.digest('hex') !== sha256) throw damaged('its bytes are others than were written');
  if (last) yield last;
}

async function* readable(spool: ArtifactSpool, handle: string): AsyncGenerator<Uint8Array> {
  try {
    yield* spool.read(handle);
  } catch (error) {
    if (error instanceof DoorError) throw error;
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DoorError('refused', 'the artifact was lost: its file is gone', { cause: error });
    const text = `the artifact cannot be read from the spool: ${code}`;
    throw new DoorError(PASSING.has(code) ? 'busy' : 'refused', text, { cause: error });
  }
}

function damaged(reason: string): DoorError {
  return new DoorError('refused', `the artifact was damaged: ${reason}`);
}

import type { Artifact } from './outcome.ts';

/** Where artifacts wait for their output. The adapters of doors write and read it; nothing else of the spool concerns them. */
export interface ArtifactSpool {
  /**
   * Writes an artifact.
   *
   * @throws DoorError: `door` for a name that is none, `refused` for too large an artifact, `busy` when the spool or the disk
   *   is full; and what the source throws. Nothing is kept then.
   */
  write(name: string, mediaType: string, source: AsyncIterable<Uint8Array>): Promise<Artifact>;
  /** The bytes of an artifact. */
  read(handle: string): AsyncIterable<Uint8Array>;
}

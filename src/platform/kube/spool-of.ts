import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import { DoorError } from '../../model/door-error.ts';

/** The spool, for doors that make artifacts. @throws DoorError of code `refused` where there is none */
export function spoolOf(spool: ArtifactSpool | undefined): ArtifactSpool {
  if (spool) return spool;
  throw new DoorError('refused', 'there is no spool for artifacts');
}

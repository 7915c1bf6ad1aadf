import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How the names of everything begin that a test run leaves on the machine while it lasts; its process id follows. */
export const PREFIX = 'talon-e2e-';

/**
 * A temporary folder whose name tells which process made it. Folders of processes that are gone, left by a run that was
 * interrupted, are removed on the way.
 */
export function makeScratch(): string {
  for (const name of readdirSync(tmpdir())) {
    const owner = ownerOf(name);
    if (owner !== undefined && !isAlive(owner)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Removes a folder made by `makeScratch`; with `TALON_E2E_KEEP` set it stays until the next run. */
export function removeScratch(folder: string): void {
  if (!process.env.TALON_E2E_KEEP) rmSync(folder, { recursive: true, force: true });
}

/** The process that made what has this name; undefined when it was none of ours. */
export function ownerOf(name: string): number | undefined {
  const owner = name.startsWith(PREFIX) ? /^\d+(?=-)/.exec(name.slice(PREFIX.length))?.[0] : undefined;
  return owner === undefined ? undefined : Number(owner);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

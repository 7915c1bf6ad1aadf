import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, ownerOf, PREFIX } from '../scratch.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * Makes a cgroup, in whatever hierarchies there are, whose name tells which process has it, and returns its path in them.
 * What a run that was killed has left is removed on the way.
 */
export function makeCgroups(): string {
  const cgroup = `/${PREFIX}${process.pid}-pods`;
  for (const hierarchy of hierarchies()) {
    for (const name of readdirSync(hierarchy)) {
      const owner = ownerOf(name);
      if (owner !== undefined && !isAlive(owner)) removeTree(join(hierarchy, name));
    }
    mkdirSync(join(hierarchy, cgroup), { recursive: true });
  }
  return cgroup;
}

/** Removes it with everything in it; false as long as it holds a process. */
export function removeCgroups(cgroup: string): boolean {
  return hierarchies().every((hierarchy) => removeTree(join(hierarchy, cgroup)));
}

/** One for each controller in version 1; in version 2 the root is the only one. */
function hierarchies(): readonly string[] {
  if (existsSync(join(ROOT, 'cgroup.procs'))) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')));
}

/** Its files cannot be removed, and go with the folders. */
function removeTree(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !removeTree(join(folder, entry.name))) return false;
    }
    rmdirSync(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY') return false;
    throw error;
  }
}

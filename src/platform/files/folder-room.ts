import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { DoorError } from '../../model/door-error.ts';

/** The name of a file that is being written, and what begins it. */
const PART = /^\.talon-[0-9a-f]{24}\.part$/;
/** Milliseconds for which nothing was written to one that nobody writes any more. */
const ABANDONED = 3_600_000;

/**
 * Whether a folder may take so many bytes more. What is in folders below it does not count.
 *
 * @param maxBytes of all its files; 0: as many as the disk has room for
 * @throws DoorError of code `busy`: somebody may clear it
 */
export async function checkRoom(folder: string, maxBytes: number, bytes: number): Promise<void> {
  if (maxBytes === 0) return;
  let taken = 0;
  for (const name of await readdir(folder)) taken += await sizeOf(path.join(folder, name));
  if (taken + bytes <= maxBytes) return;
  throw new DoorError('busy', `the folder '${folder}' has ${taken} of ${maxBytes} bytes: no room for ${bytes} more`);
}

/** Files alone: a link may lead to what is elsewhere. */
async function sizeOf(file: string): Promise<number> {
  const found = await lstat(file).catch(() => undefined);
  return found?.isFile() ? found.size : 0;
}

/** Folders that are remembered; there are as many as alerts name. */
const MOST_FOLDERS = 1_000;

/** What a process left behind that was killed while it wrote. */
export class Leftovers {
  readonly #swept = new Set<string>();

  /** Removes it, the first time that a folder is used. What cannot be removed stays. */
  async removeFrom(folder: string, now = Date.now()): Promise<void> {
    if (this.#swept.has(folder)) return;
    if (this.#swept.size >= MOST_FOLDERS) this.#swept.clear();
    this.#swept.add(folder);
    for (const name of await readdir(folder).catch(() => [])) {
      if (!PART.test(name)) continue;
      const file = path.join(folder, name);
      const found = await lstat(file).catch(() => undefined);
      if (found?.isFile() && now - found.mtimeMs > ABANDONED) await rm(file, { force: true }).catch(() => undefined);
    }
  }
}

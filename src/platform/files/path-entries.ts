import { readlinkSync } from 'node:fs';
import path from 'node:path';

/** A name in a folder. */
export interface FolderEntry {
  readonly folder: string;
  readonly name: string;
}

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * The entries on which it depends where a path leads: the last name, each symbolic link on the way, and the first name that
 * does not exist. Who watches their folders learns of every way in which a file gets new content: written in place, renamed
 * over, deleted and made again, or changed by a link further up, as Kubernetes does with the files of a ConfigMap.
 *
 * @param file absolute, or relative to the working directory
 */
export function pathEntries(file: string): readonly FolderEntry[] {
  const { root, rest } = split(path.resolve(file));
  const entries: FolderEntry[] = [];
  let folder = root;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      folder = path.dirname(folder);
      continue;
    }
    const target = linkTarget(path.join(folder, name));
    if (target !== 'none' || rest.length === 0) entries.push({ folder, name });
    if (target === 'none') {
      folder = path.join(folder, name);
      continue;
    }
    if (target === 'missing' || ++links > MAX_LINKS) break;
    const to = split(target.link);
    if (to.root) folder = to.root;
    rest.unshift(...to.rest);
  }
  return entries;
}

function split(file: string): { readonly root: string; readonly rest: string[] } {
  const { root } = path.parse(file);
  const names = file.slice(root.length).split(path.sep);
  return { root, rest: names.filter((name) => name !== '' && name !== '.') };
}

/** `missing` is said also of what may not be read: it may become readable. */
function linkTarget(file: string): 'none' | 'missing' | { readonly link: string } {
  try {
    return { link: readlinkSync(file) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EINVAL' ? 'none' : 'missing';
  }
}

import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of this package, from the sources as well as from the build: where `rules/` is. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

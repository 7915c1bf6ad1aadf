import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from './catalog.ts';

/** Something that the end-to-end tests need and that is no Go program: a folder of the cache. */
export interface Prepared {
  readonly name: string;
  /** The files beside this one that say what is in the folder: when they change, another folder is made. */
  readonly sources: readonly string[];
  /** A path within the folder that is there if the folder can be used. */
  readonly witness: string;
  /** Fills the empty folder. Throws with a message that says what to do. */
  fill(folder: string): Promise<void>;
}

/** Where the folder is, whether it has been made yet or not. */
export function preparedFolder({ name, sources }: Prepared): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(join(import.meta.dirname, source)));
  return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 12)}`);
}

/** Makes the folder unless it is there; one progress line, or two. */
export async function prepareFolder(wanted: Prepared): Promise<void> {
  const folder = preparedFolder(wanted);
  if (existsSync(join(folder, wanted.witness))) {
    console.log(`e2e: ${wanted.name}: found ${folder}`);
    return;
  }
  // Made beside its place and then renamed: an interrupted or a second run never leaves half a folder there.
  const unfinished = `${folder}.${process.pid}`;
  const started = performance.now();
  console.log(`e2e: ${wanted.name}: installing`);
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(unfinished);
    await wanted.fill(unfinished);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  console.log(`e2e: ${wanted.name}: installed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

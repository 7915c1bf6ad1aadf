import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/**
 * Makes a file for `node` of a program that imports sources of this project, for tests that start it as a process of its own,
 * often or at once: it loads in a fraction of the time that the sources take. Gone after the tests of the file that calls this.
 *
 * @param folder what its relative imports start from
 */
export function childProgram(program: string, folder: string): string {
  const cache = path.join(root, 'node_modules/.cache/talon');
  mkdirSync(cache, { recursive: true });
  // Below the root, so that it finds packages and the sources of the threads.
  const made = mkdtempSync(path.join(cache, 'child-'));
  afterAll(() => rmSync(made, { recursive: true }));
  const outfile = path.join(made, 'program.mjs');
  buildSync({
    ...{ stdin: { contents: program, resolveDir: folder, loader: 'ts' }, outfile, absWorkingDir: root },
    ...{ bundle: true, format: 'esm', platform: 'node', packages: 'external' },
  });
  return outfile;
}

import { existsSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerStart } from '../model/worker-start.ts';
import { packageRoot } from './package-root.ts';

/** The threads of the server: their sources from the root of the project, by the names of the files that are built of them. */
export const WORKER_SOURCES = {
  journal: 'src/platform/sqlite/journal-worker.ts',
  sandbox: 'src/runtime/sandbox/sandbox-worker.ts',
} as const;

type WorkerName = keyof typeof WORKER_SOURCES;

/** What this process has bundled: tests start hundreds of threads. */
const bundled = new Map<WorkerName, URL>();

/** How a thread is started: from the build where this is the build, else from its source, which is bundled first. */
export function workerStart(name: WorkerName): WorkerStart {
  const built = path.join(import.meta.dirname, 'workers', `${name}.js`);
  const beside = path.join(import.meta.dirname, '..', 'workers', `${name}.js`);
  const file = [built, beside].find((each) => existsSync(each));
  if (file) return { script: pathToFileURL(file), eval: false };
  const source = bundled.get(name) ?? bundle(name);
  bundled.set(name, source);
  // As a text: a file would be refused where this process runs one too, with options for it.
  return { script: `import(${JSON.stringify(source.href)})`, eval: true };
}

/** Bundles a source; in a file of this process first, so that no other one finds half of it. Only the sources come with esbuild. */
function bundle(name: WorkerName): URL {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const root = packageRoot();
  const file = path.join(root, 'node_modules/.cache/talon', `${name}.mjs`);
  const outfile = `${file}.${process.pid}`;
  const entryPoints = [path.join(root, WORKER_SOURCES[name])];
  buildSync({ entryPoints, outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external' });
  renameSync(outfile, file);
  return pathToFileURL(file);
}

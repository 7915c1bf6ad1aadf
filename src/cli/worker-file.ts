import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WorkerStart } from '../model/worker-start.ts';
import { packageRoot } from './package-root.ts';

/** The threads of the server: their sources from the root of the project, by the names of the files that are built of them. */
export const WORKER_SOURCES = {
  journal: 'src/platform/sqlite/journal-worker.ts',
  sandbox: 'src/runtime/sandbox/sandbox-worker.ts',
} as const;

/** How a thread is started: from the build where this is the build, else from its source, which needs a loader. */
export function workerStart(name: keyof typeof WORKER_SOURCES): WorkerStart {
  const built = path.join(import.meta.dirname, 'workers', `${name}.js`);
  const beside = path.join(import.meta.dirname, '..', 'workers', `${name}.js`);
  const file = [built, beside].find((each) => existsSync(each));
  if (file) return { script: pathToFileURL(file), eval: false };
  const source = pathToFileURL(path.join(packageRoot(), WORKER_SOURCES[name])).href;
  const loader = import.meta.resolve('tsx/esm/api');
  const load = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(source)}); })`;
  return { script: load, eval: true };
}

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type BuildOptions, build } from 'esbuild';
import type { BuildInfo } from '../src/cli/build-info.ts';
import { WORKER_SOURCES } from '../src/cli/worker-file.ts';
import { cutPlugins, declarationsOnly, PLUGIN_FILES } from './plugin-source.ts';

/**
 * Builds dist/: talon.js (the program), compiler.js and runtime.js (the package's exports) with shared chunks, the threads of
 * the server in files of their own, and the types of the two exports. Parts that a command imports when it runs stay in
 * chunks, so that `version` does not pay for the server. Of plug-ins there are the declarations, and scripts for the sandbox.
 */
const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
/** Built here and moved when complete, so that a program in use is never half there. */
const work = path.join(root, 'node_modules', `.talon-build-${process.pid}`);

/** Bundled CommonJS packages call `require` for Node's own modules. */
const BANNER =
  "import { createRequire as talonRequire } from 'node:module'; const require = talonRequire(import.meta.url);";

const OPTIONS: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  banner: { js: BANNER },
  // These come with files that are no JavaScript.
  external: ['libsql', 'quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
};

async function main(): Promise<void> {
  await build({
    ...OPTIONS,
    entryPoints: { talon: 'src/cli/bin.ts', compiler: 'src/api/compiler.ts', runtime: 'src/api/runtime.ts' },
    outdir: work,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    define: { TALON_BUILD: JSON.stringify(buildInfo()) },
    plugins: [cutPlugins(PLUGIN_FILES, declarationsOnly)],
  });
  await build({ ...OPTIONS, entryPoints: WORKER_SOURCES, outdir: path.join(work, 'workers') });
  chmodSync(path.join(work, 'talon.js'), 0o755);
  run(path.join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.api.json', '--outDir', path.join(work, 'types')]);
  const old = `${work}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(work, dist);
  rmSync(old, { recursive: true, force: true });
}

function buildInfo(): BuildInfo {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const changes = git('status', '--porcelain');
  return {
    version,
    commit: git('rev-parse', 'HEAD') || 'unknown',
    treeState: changes === undefined ? 'unknown' : changes === '' ? 'clean' : 'dirty',
    date: buildDate(),
  };
}

/** Now, or the moment that SOURCE_DATE_EPOCH fixes (seconds since 1970), for builds that must be repeatable. */
function buildDate(): string {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const date = epoch ? new Date(Number(epoch) * 1000) : new Date();
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** What git prints, or undefined where there is no git or no repository (an unpacked source archive). */
function git(...args: string[]): string | undefined {
  const result = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function run(command: string, args: string[]): void {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} failed`);
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}

/**
 * Builds every component that is not in the cache yet, one progress line each. Needs Go, Python, Java and Maven; some ten
 * minutes on an empty machine, nothing when the programs are there. Run as `node --import tsx e2e/components/build.ts`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Component, type ComponentName, cacheFolder, componentPath, components } from './catalog.ts';
import { debianPackages } from './debian.ts';
import { images } from './images.ts';
import { openSearch } from './opensearch.ts';
import { prepareFolder } from './prepare-folder.ts';
import { pythonPeers } from './python-peers.ts';

function requireGo(missing: readonly string[]): void {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  if (go.status === 0) return;
  throw new Error(
    `Go is needed to build ${missing.join(', ')} for the end-to-end tests, and \`go version\` did not work` +
      `${go.error ? ` (${go.error.message})` : ''}. Install Go 1.26 or newer, or put the programs into ${cacheFolder()}.`,
  );
}

function goBuild(component: Component, output: string): Promise<number | null> {
  const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-o', output];
  args.push('-ldflags', `-s -w ${component.linkerFlags ?? ''}`.trim());
  if (component.tags) args.push('-tags', component.tags);
  const go = spawn('go', [...args, component.package], {
    cwd: join(import.meta.dirname, component.module),
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  createInterface({ input: go.stderr }).on('line', (line) => {
    // Some three hundred lines on an empty machine, and none of them of use.
    if (!line.startsWith('go: downloading ')) console.error(line);
  });
  return new Promise((resolve, reject) => {
    go.once('error', reject);
    go.once('close', resolve);
  });
}

async function build(name: ComponentName): Promise<void> {
  const target = componentPath(name);
  // Built beside its place and then renamed: an interrupted or a second build never leaves half a program there.
  const unfinished = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  const started = performance.now();
  console.log(`e2e: ${name} ${components[name].version}: building`);
  try {
    const code = await goBuild(components[name], unfinished);
    if (code !== 0) throw new Error(`building ${name} failed: go ended with ${code}, its messages stand above`);
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
  console.log(`e2e: ${name}: built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

async function main(): Promise<void> {
  const names = Object.keys(components) as ComponentName[];
  const missing = names.filter((name) => !existsSync(componentPath(name)));
  for (const name of names.filter((each) => !missing.includes(each))) {
    console.log(`e2e: ${name} ${components[name].version}: found ${componentPath(name)}`);
  }
  if (missing.length > 0) requireGo(missing);
  for (const name of missing) await build(name);
  for (const each of [debianPackages, images, pythonPeers, openSearch]) await prepareFolder(each);
}

try {
  await main();
} catch (error) {
  console.error(`e2e: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

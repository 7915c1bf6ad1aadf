import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pluginList } from './generate/plugin-list.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** A file that is committed although a program makes it; the path is from the root of the project. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** The files whose text on disk is another one, or which are not there. */
export function outdated(files: readonly GeneratedFile[]): readonly GeneratedFile[] {
  return files.filter(({ path: file, text }) => readText(path.join(ROOT, file)) !== text);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Writes what is not up to date, or with `check` says what that is. Whether there was anything. */
function bring(files: readonly GeneratedFile[], check: boolean): boolean {
  const changed = outdated(files);
  for (const { path: file, text } of changed) {
    if (check) {
      console.error(`${file}: not up to date, run \`npm run generate\``);
      continue;
    }
    mkdirSync(path.dirname(path.join(ROOT, file)), { recursive: true });
    writeFileSync(path.join(ROOT, file), text);
    console.log(file);
  }
  return changed.length > 0;
}

/** With `--check` it changes nothing and fails if it would. */
async function main(flags: readonly string[]): Promise<number> {
  const check = flags.includes('--check');
  // Everything else is made from the plug-ins that this file lists.
  const listed = bring([pluginList()], check);
  // The compiler of the core is loaded only where it is needed: it is large.
  const [{ generateCore }, { guestRunner, pluginScripts }, { generatedPages }, { catalog }] = await Promise.all([
    import('./build-core.ts'),
    import('./generate/plugin-scripts.ts'),
    import('./generate/pages.ts'),
    import('../src/cli/plugins/catalog.ts'),
  ]);
  const programs = await Promise.all([generateCore(), guestRunner(), pluginScripts(catalog)]);
  const rest = bring([...generatedPages(), ...programs], check);
  return check && (listed || rest) ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2));

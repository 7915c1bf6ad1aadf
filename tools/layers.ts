import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/**
 * Who may know whom below `src/`. Each folder lists the other folders that it may import; `null` means all of them.
 * What a violation means: words depend on deeds, or two parts that should meet only in the wiring know each other.
 */
const MAY_IMPORT: Record<string, readonly string[] | null> = {
  model: [],
  compiler: ['model'],
  runtime: ['model'],
  actionners: ['model'],
  outputs: ['model'],
  notifiers: ['model'],
  platform: ['model'],
  cli: null,
  api: null,
};

/** Plug-ins run in a sandbox that has nothing but these. */
const PLUGIN_FOLDERS = ['actionners', 'outputs', 'notifiers'];
const PLUGIN_PACKAGES = ['zod'];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** One import that crosses a border it must not cross. */
export interface Violation {
  readonly file: string;
  readonly imports: string;
  readonly reason: string;
}

/** All violations of the import rules in the tree below `root` (the folder that holds `src/`). Tests are free. */
export function checkLayers(root: string): Violation[] {
  const source = path.join(root, 'src');
  return sourceFiles(source).flatMap((file) => {
    const folder = path.relative(source, file).split(path.sep)[0] ?? '';
    return importsOf(file).flatMap((specifier) => {
      const reason = objection(source, file, folder, specifier);
      return reason ? [{ file: path.relative(root, file), imports: specifier, reason }] : [];
    });
  });
}

function objection(source: string, file: string, folder: string, specifier: string): string | undefined {
  if (!(folder in MAY_IMPORT)) return `the folder \`src/${folder}\` is not in the table of tools/layers.ts`;
  if (!specifier.startsWith('.')) {
    const packageName = specifier.split('/')[0] ?? '';
    const plugin = PLUGIN_FOLDERS.includes(folder);
    return plugin && !PLUGIN_PACKAGES.includes(packageName) ? 'a plug-in imports only src/model and zod' : undefined;
  }
  const target = path.relative(source, path.resolve(path.dirname(file), specifier)).split(path.sep)[0] ?? '';
  if (target === '..') return 'src/ imports nothing outside itself';
  const allowed = MAY_IMPORT[folder];
  if (target === folder || allowed === null || allowed?.includes(target)) return undefined;
  return `src/${folder} may import ${allowed?.length ? allowed.map((name) => `src/${name}`).join(', ') : 'no other folder'}`;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

if (process.argv[1] === import.meta.filename) {
  const violations = checkLayers(path.resolve(import.meta.dirname, '..'));
  for (const { file, imports, reason } of violations) console.error(`${file}: imports '${imports}': ${reason}`);
  if (violations.length > 0) process.exit(1);
}

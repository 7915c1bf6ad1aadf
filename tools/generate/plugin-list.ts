import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const KINDS = { actionners: 'Actionner', outputs: 'Output', notifiers: 'Notifier' } as const;

/** The file that imports every plug-in there is: to add one, it is enough to write it. */
export function pluginList(): { readonly path: string; readonly text: string } {
  const folders = Object.entries(KINDS).map(([folder, kind]) => ({ folder, kind, files: pluginFiles(folder) }));
  const imports = folders.flatMap(({ folder, kind, files }) =>
    files.map(
      (file) => `import { ${exportOf(folder, file, kind)} as ${nameOf(folder, file)} } from '../../${folder}/${file}';`,
    ),
  );
  const lists = folders.map(
    ({ folder, kind, files }) =>
      `export const ${folder}: readonly ${kind}[] = [\n${files.map((file) => `  ${nameOf(folder, file)},\n`).join('')}];`,
  );
  const types = `import type { ${Object.values(KINDS).sort().join(', ')} } from '../../model/definition.ts';`;
  const text = `// Made by \`npm run generate\`. Do not edit.\n${[...imports, types].join('\n')}\n\n${lists.join('\n\n')}\n`;
  return { path: 'src/cli/plugins/plugins.gen.ts', text };
}

/** Files without a `define...` are what plug-ins of the folder share. */
function pluginFiles(folder: string): string[] {
  return readdirSync(path.join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => /\bdefine(Actionner|Output|Notifier)\(/.test(sourceOf(folder, file)))
    .sort();
}

/** The name under which a file exports its plug-in. */
function exportOf(folder: string, file: string, kind: string): string {
  const [, name] = new RegExp(`^export const (\\w+) = define${kind}\\(`, 'm').exec(sourceOf(folder, file)) ?? [];
  if (name === undefined) throw new Error(`src/${folder}/${file} exports nothing that define${kind} made`);
  return name;
}

function sourceOf(folder: string, file: string): string {
  return readFileSync(path.join(ROOT, 'src', folder, file), 'utf8');
}

/** `outputs`, `aws/s3.ts`: `outputAwsS3`. */
function nameOf(folder: string, file: string): string {
  const words = file.slice(0, -'.ts'.length).split(/[^a-zA-Z0-9]/);
  return [folder.slice(0, -1), ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)].join('');
}

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { TalonError } from '../../model/talon-error.ts';

const SUFFIXES = ['.test.yaml', '.test.yml'];

/** Whether a file is a test file, by its name. */
export function isTestFile(file: string): boolean {
  return SUFFIXES.some((suffix) => file.endsWith(suffix));
}

/**
 * The test files below a folder, sorted; or the file itself if it is one. `node_modules` and hidden folders are left out,
 * links to folders are not followed. Throws a TalonError where there is nothing to search.
 */
export function findTestFiles(place: string): readonly string[] {
  const kind = statSync(place, { throwIfNoEntry: false });
  if (!kind) throw new TalonError('usage', `--test: no such file or folder: ${place}`);
  if (kind.isDirectory()) return below(place).sort();
  if (isTestFile(place)) return [place];
  throw new TalonError(
    'usage',
    `--test takes a folder or a *.test.yaml file, not ${place} (rules files stand before --test)`,
  );
}

/** The test files that stand in the folders of some rules files, sorted. */
export function testFilesBeside(rulesFiles: readonly string[]): readonly string[] {
  const folders = new Set(rulesFiles.map((file) => path.dirname(file)));
  const there = [...folders].filter((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  return there
    .flatMap((folder) =>
      readdirSync(folder)
        .filter(isTestFile)
        .map((name) => path.join(folder, name)),
    )
    .sort();
}

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : below(file);
    return isTestFile(entry.name) && (entry.isFile() || statSync(file, { throwIfNoEntry: false })?.isFile())
      ? [file]
      : [];
  });
}

import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { TalonError } from '../../model/talon-error.ts';
import { fileProblem } from '../read-file.ts';

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
  const kind = stats(place);
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
  const there = [...folders].filter((folder) => stats(folder)?.isDirectory());
  return there.flatMap((folder) => entries(folder).flatMap((entry) => testFile(folder, entry))).sort();
}

function below(folder: string): string[] {
  return entries(folder).flatMap((entry) => {
    const skipped = entry.name.startsWith('.') || entry.name === 'node_modules';
    if (entry.isDirectory()) return skipped ? [] : below(path.join(folder, entry.name));
    return testFile(folder, entry);
  });
}

/** The path of an entry that is a test file, or a link to one. */
function testFile(folder: string, entry: Dirent): string[] {
  const file = path.join(folder, entry.name);
  return isTestFile(entry.name) && (entry.isFile() || stats(file)?.isFile()) ? [file] : [];
}

/** Undefined for what cannot be looked at: it is not there, or a link leads nowhere. */
function stats(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new TalonError('usage', `--test: cannot read ${folder}: ${fileProblem(error)}`, { cause: error });
  }
}

import { isUtf8 } from 'node:buffer';
import { realpathSync, statSync } from 'node:fs';
import { type FileProblem, MAX_EMBEDDED_BYTES, TOO_LARGE } from '../compiler/embed-files.ts';
import { MAX_FILE_BYTES, type SourceFile } from '../compiler/read.ts';
import { fileProblem, readUpTo } from './read-file.ts';

/** Reads files of rules or of policies for the compiler. A file that cannot be read is not a fault here: the compiler reports it. */
export function readRulesFiles(paths: readonly string[]): readonly SourceFile[] {
  return paths.map((path) => sourceFile(path, readSource(path)));
}

/** The bytes of a rules file, or why it cannot be read. */
export function readSource(path: string): Uint8Array | FileProblem {
  try {
    return readUpTo(path, MAX_FILE_BYTES);
  } catch (error) {
    return { problem: fileProblem(error) };
  }
}

/** A rules file as the compiler takes it. */
export function sourceFile(path: string, content: Uint8Array | FileProblem): SourceFile {
  return content instanceof Uint8Array ? { path, bytes: content } : { path, ...content };
}

/** Whether rules files take about a second or more to compile: a megabyte does. */
export function areLarge(files: readonly SourceFile[]): boolean {
  return files.reduce((sum, file) => sum + ('bytes' in file ? file.bytes.length : 0), 0) > 1024 * 1024;
}

/** Said of a file that the configuration keeps from being embedded. */
const OUTSIDE: FileProblem = { problem: 'is not in the folder of the setting scripts_folder' };

/**
 * The same for a server, whose files are not all the business of those who write its rules: what is embedded is sent into pods.
 *
 * @param folder in which the file must be, links followed; empty: anywhere
 */
export function readEmbeddedFileIn(folder: string, path: string): string | FileProblem {
  if (folder === '') return readEmbeddedFile(path);
  try {
    const [inside, file] = [realpathSync(folder), realpathSync(path)];
    return file.startsWith(inside.endsWith('/') ? inside : `${inside}/`) ? readEmbeddedFile(file) : OUTSIDE;
  } catch (error) {
    return { problem: fileProblem(error) };
  }
}

/** Reads a file that a parameter names, such as a script, for the compiler; relative paths start at the working directory. */
export function readEmbeddedFile(path: string): string | FileProblem {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return { problem: stats.isDirectory() ? 'is a directory' : 'is not a file' };
    const bytes = readUpTo(path, MAX_EMBEDDED_BYTES);
    if (bytes.length > MAX_EMBEDDED_BYTES) return TOO_LARGE;
    return isUtf8(bytes) ? bytes.toString() : { problem: 'is not a text in UTF-8' };
  } catch (error) {
    return { problem: fileProblem(error) };
  }
}

import { readFileSync, statSync } from 'node:fs';
import { type FileProblem, MAX_EMBEDDED_BYTES } from '../compiler/embed-files.ts';
import type { SourceFile } from '../compiler/read.ts';

/** Reads rules files for the compiler. A file that cannot be read is not a fault here: the compiler reports it. */
export function readRulesFiles(paths: readonly string[]): readonly SourceFile[] {
  return paths.map((path) => {
    try {
      return { path, bytes: readFileSync(path) };
    } catch (error) {
      return { path, problem: fileProblem(error) };
    }
  });
}

/** Whether rules files take about a second or more to compile: a megabyte does. */
export function areLarge(files: readonly SourceFile[]): boolean {
  return files.reduce((sum, file) => sum + ('bytes' in file ? file.bytes.length : 0), 0) > 1024 * 1024;
}

/** Reads a file that a parameter names, such as a script, for the compiler; relative paths start at the working directory. */
export function readEmbeddedFile(path: string): string | FileProblem {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return { problem: stats.isDirectory() ? 'is a directory' : 'is not a file' };
    if (stats.size > MAX_EMBEDDED_BYTES)
      return { problem: `it has ${stats.size} bytes, more than ${MAX_EMBEDDED_BYTES}` };
    return readFileSync(path, 'utf8');
  } catch (error) {
    return { problem: fileProblem(error) };
  }
}

/** What the operating system says about a file: `no such file or directory`. */
export function fileProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/^EISDIR:/.test(text)) return 'is a directory';
  return /^E[A-Z]+: ([^,]+)/.exec(text)?.[1] ?? text;
}

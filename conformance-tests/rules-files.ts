import type { SourceFile } from '../src/compiler/read.ts';

/** The rules files of a case as the compiler takes them, under the names that they had when recording. */
export function rulesFiles(rules: readonly (string | null)[]): SourceFile[] {
  return rules.map((text, index) => {
    const path = `rules_${index}.yaml`;
    return text === null ? { path, problem: 'no such file or directory' } : { path, text };
  });
}

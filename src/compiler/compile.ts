import type { Bundle } from '../model/bundle.ts';
import { type Checked, type CompileOptions, checkRules } from './check-rules.ts';
import { makeBundle } from './make-bundle.ts';
import type { SourceFile } from './read.ts';

/** What comes out of rules files and files of policies. */
export interface Compiled extends Checked {
  /** Absent when a diagnostic is an error. */
  readonly bundle?: Bundle;
}

/** Compiles rules files and policies, in order, into a policy bundle. Bad input never throws: it becomes diagnostics, all at once. */
export function compile(files: readonly SourceFile[], options: CompileOptions): Compiled {
  const checked = checkRules(files, options);
  const { rules, guards, sources, policySources } = checked;
  if (!rules || !guards) return checked;
  const texts = { rules: sources.slice(0, sources.length - policySources.length), policies: policySources };
  return { ...checked, bundle: makeBundle(rules, guards, texts, options.catalog) };
}

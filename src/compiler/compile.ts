import type { Bundle } from '../model/bundle.ts';
import { type Checked, type CompileOptions, checkRules } from './check-rules.ts';
import { makeBundle } from './make-bundle.ts';
import type { SourceFile } from './read.ts';

/** What comes out of rules files. */
export interface Compiled extends Checked {
  /** Absent when a diagnostic is an error. */
  readonly bundle?: Bundle;
}

/** Compiles rules files, in order, into a policy bundle. Bad input never throws: it becomes diagnostics, all at once. */
export function compile(files: readonly SourceFile[], options: CompileOptions): Compiled {
  const checked = checkRules(files, options);
  if (!checked.rules) return checked;
  return { ...checked, bundle: makeBundle(checked.rules, checked.sources, options.catalog) };
}

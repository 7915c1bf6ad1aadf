import { catalog } from '../cli/plugins/catalog.ts';
import { compile } from '../compiler/compile.ts';
import type { FileProblem } from '../compiler/embed-files.ts';
import type { SourceFile } from '../compiler/read.ts';
import { type DiagnosticFormat, renderDiagnostics, type SourceLines } from '../compiler/render-diagnostics.ts';
import type { Bundle } from '../model/bundle.ts';
import type { Diagnostic } from '../model/diagnostic.ts';

export type { Bundle } from '../model/bundle.ts';
export type { Diagnostic, Place, Severity } from '../model/diagnostic.ts';
export type { BudgetKey, GuardBudget, GuardDenial, GuardMode, GuardPolicy } from '../model/guard-policy.ts';
export type { PlannedAction, PlannedRule, PolicyRule } from '../model/rule.ts';
export type { DiagnosticFormat, FileProblem, SourceFile, SourceLines };
export { renderDiagnostics };

/** How rules are compiled. All of it may be left out. */
export interface CompileRulesOptions {
  /** Files of guard policies, in order. They travel in the bundle, and the server asks them before every action. */
  readonly policies?: readonly SourceFile[];
  /** Refuse extensions of the language, which Falco Talon would ignore without a word. */
  readonly strictTalon?: boolean;
  /** Reads the text files that parameters name, such as scripts, for embedding. Without it such parameters are refused. */
  readonly readFile?: (path: string) => string | FileProblem;
}

/** What comes out of rules files and policies. */
export interface CompiledRules {
  /** Undefined when a diagnostic is an error. */
  readonly bundle: Bundle | undefined;
  /** All findings at once, by file, line and column. */
  readonly diagnostics: readonly Diagnostic[];
  /** The texts of the files, for drawing the diagnostics. */
  readonly sources: readonly SourceLines[];
}

/**
 * Compiles Talon rules, with all actionners, outputs and notifiers that Talon has, into a policy bundle. Files are read in
 * order; later ones override earlier ones. Never throws for bad rules or policies.
 *
 * ```ts
 * import { compileRules, renderDiagnostics } from 'talon/compiler';
 *
 * const { bundle, diagnostics, sources } = compileRules([{ path: 'rules.yaml', text }], { policies: [] });
 * if (bundle) writeFileSync('bundle.tar.gz', bundle.pack());
 * else console.error(renderDiagnostics(diagnostics, sources, 'text'));
 * ```
 */
export function compileRules(files: readonly SourceFile[], options: CompileRulesOptions = {}): CompiledRules {
  const { policies = [], strictTalon, readFile } = options;
  const compiled = compile(files, { catalog, readFile, policies, ...(strictTalon !== undefined && { strictTalon }) });
  return { bundle: compiled.bundle, diagnostics: compiled.diagnostics, sources: compiled.sources };
}

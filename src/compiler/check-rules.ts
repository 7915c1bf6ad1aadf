import type { Catalog } from '../model/definition.ts';
import type { Diagnostic, RulesRecord } from '../model/diagnostic.ts';
import type { GuardPolicy } from '../model/guard-policy.ts';
import type { PolicyRule } from '../model/rule.ts';
import type { ActionBlock } from './blocks.ts';
import { ActionChecker } from './check-actions.ts';
import { checkPolicies } from './check-policies.ts';
import type { EmbeddedFiles, ReadFile } from './embed-files.ts';
import { Findings } from './findings.ts';
import { type LoadOptions, load } from './load.ts';
import { policyRule } from './policy-rule.ts';
import type { SourceFile } from './read.ts';
import type { Source } from './source.ts';
import { warn } from './warnings.ts';

export interface CompileOptions extends LoadOptions {
  readonly catalog: Catalog;
  /** Reads the files that parameters name, such as scripts. Without it such parameters are refused. */
  readonly readFile?: ReadFile | undefined;
  /** Files of guard policies. */
  readonly policies?: readonly SourceFile[];
}

/** What the compiler says about rules files, and about those of guard policies. */
export interface Checked {
  /** The rules as the bundle carries them; absent when a diagnostic about them is an error. */
  readonly rules?: readonly PolicyRule[];
  /** The same of the policies. */
  readonly guards?: readonly GuardPolicy[];
  /** All findings, by file, line and column; those about policies last. */
  readonly diagnostics: readonly Diagnostic[];
  /** The lines that Falco Talon prints for these files, in its order. */
  readonly records: readonly RulesRecord[];
  /** The texts of the files that could be read, for drawing the diagnostics: those of rules, then those of policies. */
  readonly sources: readonly Source[];
  /** The latter of them. */
  readonly policySources: readonly Source[];
}

/** All phases up to the resolved rules: what `rules check` needs. Never throws for bad input. */
export function checkRules(files: readonly SourceFile[], options: CompileOptions): Checked {
  const findings = new Findings();
  const loaded = load(files, options, findings);
  const checker = new ActionChecker(options, findings);
  const embedded = new Map<ActionBlock, EmbeddedFiles>();
  for (const { block } of loaded.rules) {
    for (const action of block.actions) {
      const files = checker.check(action, block);
      if (files) embedded.set(action, files);
    }
  }
  warn(loaded, options, findings);
  const policies = checkPolicies(options.policies ?? [], options.catalog);
  return {
    ...(!findings.failed && { rules: loaded.rules.map((rule) => policyRule(rule, options.catalog, embedded)) }),
    ...(policies.guards && { guards: policies.guards }),
    diagnostics: [...findings.sorted(), ...policies.diagnostics],
    records: findings.records,
    sources: [...loaded.sources, ...policies.sources],
    policySources: policies.sources,
  };
}

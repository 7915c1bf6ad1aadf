import type { MatchTerms } from '../model/rule.ts';
import type { Blocks, RuleBlock } from './blocks.ts';
import { checkStructure } from './check-structure.ts';
import type { Findings } from './findings.ts';
import { matchTerms } from './match-terms.ts';
import { type MergedBlocks, merge } from './merge.ts';
import { parse } from './parse.ts';
import { read, type SourceFile } from './read.ts';
import { resolve } from './resolve.ts';
import type { Source } from './source.ts';
import { refuseMatch } from './strict-talon.ts';

export interface LoadOptions {
  /** Refuse what Falco Talon does not know: it would ignore that without a word, and act. */
  readonly strictTalon?: boolean;
}

/** A rule after the structural phase. */
export interface LoadedRule {
  readonly block: RuleBlock;
  readonly terms: MatchTerms;
}

export interface Loaded {
  readonly sources: readonly Source[];
  readonly merged: MergedBlocks;
  /** Merged, with the references of their actions filled in. */
  readonly rules: readonly LoadedRule[];
}

/** The structural phase: reads, parses, merges and resolves the files, and checks what needs no catalog. */
export function load(files: readonly SourceFile[], options: LoadOptions, findings: Findings): Loaded {
  if (files.length === 0) {
    findings.add('T1005', undefined, 'no rules file', { record: { error: 'no rule file is provided' } });
  }
  const sources: Source[] = [];
  const blocks: Blocks[] = [];
  // One by one, as Falco Talon does: it reports the first file that it cannot read.
  for (const file of files) {
    const source = read(file, findings);
    if (!source) continue;
    sources.push(source);
    blocks.push(parse(source, findings, { strictTalon: options.strictTalon ?? false }));
  }
  const merged = merge(blocks, findings);
  const resolved = resolve(merged, findings);
  const facts = { complete: findings.complete, blocks: [...merged.actions.keys()] };
  const rules = resolved.map((block) => {
    checkStructure(block, facts, findings);
    const terms = matchTerms(block, findings);
    if (options.strictTalon) refuseMatch(block.match, terms, findings);
    return { block, terms };
  });
  findings.endStage();
  return { sources, merged, rules };
}

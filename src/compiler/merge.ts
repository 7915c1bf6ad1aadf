import type { ActionBlock, Blocks, MatchBlock, OutputBlock, Parameters, RuleBlock } from './blocks.ts';
import type { Findings } from './findings.ts';
import { mergeParameters } from './merge-parameters.ts';
import { placeOf } from './source.ts';
import type { ScalarNode } from './yaml-node.ts';

/** One block for each name, in the order of first occurrence. */
export interface MergedBlocks {
  readonly actions: ReadonlyMap<string, ActionBlock>;
  readonly rules: ReadonlyMap<string, RuleBlock>;
}

/** Folds blocks of equal name into the first of them, in the order of the files. */
export function merge(files: readonly Blocks[], findings: Findings): MergedBlocks {
  const actions = new Map<string, ActionBlock>();
  const rules = new Map<string, RuleBlock>();
  for (const file of files) {
    for (const block of file.actions) {
      const name = block.action?.text ?? '';
      const earlier = actions.get(name);
      actions.set(name, earlier ? mergeActions(earlier, block, findings) : block);
    }
    for (const block of file.rules) {
      const earlier = rules.get(block.rule.text);
      rules.set(block.rule.text, earlier ? mergeRules(earlier, block) : block);
    }
  }
  return { actions, rules };
}

function mergeActions(earlier: ActionBlock, later: ActionBlock, findings: Findings): ActionBlock {
  return {
    spot: earlier.spot,
    action: earlier.action,
    description: nonEmpty(later.description, earlier.description),
    actionner: nonEmpty(later.actionner, earlier.actionner),
    continue: nonEmpty(later.continue, earlier.continue),
    ignore_errors: nonEmpty(later.ignore_errors, earlier.ignore_errors),
    parameters: mergeBlockParameters(earlier.parameters, later.parameters, findings),
    additional_contexts: [...earlier.additional_contexts, ...later.additional_contexts],
    output: mergeOutputs(earlier.output, later.output, findings),
  };
}

function mergeOutputs(
  earlier: OutputBlock | undefined,
  later: OutputBlock | undefined,
  findings: Findings,
): OutputBlock | undefined {
  if (!earlier || !later) return later ?? earlier;
  return {
    spot: earlier.spot,
    target: nonEmpty(later.target, earlier.target),
    parameters: mergeBlockParameters(earlier.parameters, later.parameters, findings),
  };
}

/** A later value of another type is dropped, as in Falco Talon, but not without a word. */
function mergeBlockParameters(
  earlier: Parameters | undefined,
  later: Parameters | undefined,
  findings: Findings,
): Parameters | undefined {
  return mergeParameters(earlier, later, (name, before, after) => {
    const { file, line } = placeOf(before.value);
    findings.add('T1506', after.value, `\`${name}\` has another type at ${file}:${line}; this value is ignored`);
    return before;
  });
}

function mergeRules(earlier: RuleBlock, later: RuleBlock): RuleBlock {
  return {
    spot: earlier.spot,
    rule: earlier.rule,
    description: nonEmpty(later.description, earlier.description),
    match: mergeMatches(earlier.match, later.match),
    continue: nonEmpty(later.continue, earlier.continue),
    dry_run: nonEmpty(later.dry_run, earlier.dry_run),
    notifiers: [...earlier.notifiers, ...later.notifiers],
    actions: [...earlier.actions, ...later.actions],
  };
}

/**
 * Lists are appended. Priority, source and condition are replaced where the later block has them, by nothing only if it
 * says so with an empty text: Falco Talon also replaces them where the key is absent, which silently widens the rule.
 */
function mergeMatches(earlier: MatchBlock, later: MatchBlock): MatchBlock {
  return {
    rules: [...earlier.rules, ...later.rules],
    priority: later.priority ?? earlier.priority,
    source: later.source ?? earlier.source,
    tags: [...earlier.tags, ...later.tags],
    output_fields: [...earlier.output_fields, ...later.output_fields],
    condition: later.condition ?? earlier.condition,
  };
}

function nonEmpty(first: ScalarNode | undefined, second: ScalarNode | undefined): ScalarNode | undefined {
  return first?.text ? first : (second ?? first);
}

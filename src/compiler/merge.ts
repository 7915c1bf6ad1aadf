import type { ActionBlock, Blocks, OutputBlock, Parameters, RuleBlock } from './blocks.ts';
import type { Findings } from './findings.ts';
import { mergeParameters, withoutNulls } from './merge-parameters.ts';
import { placeOf } from './source.ts';
import { mergeRetries } from './try-settings.ts';
import type { ScalarNode } from './yaml-node.ts';

/** One block for each name, in the order of first occurrence. */
export interface MergedBlocks {
  readonly actions: ReadonlyMap<string, ActionBlock>;
  readonly rules: ReadonlyMap<string, RuleBlock>;
}

/** Folds blocks of equal name into the first of them, in the order of the files. */
export function merge(files: readonly Blocks[], findings: Findings): MergedBlocks {
  const actions = byName(
    files.flatMap((file) => file.actions),
    ({ action }) => action?.text ?? '',
  );
  const rules = byName(
    files.flatMap((file) => file.rules),
    ({ rule }) => rule.text,
  );
  return {
    actions: new Map([...actions].map(([name, group]) => [name, mergeActions(group, findings)])),
    rules: new Map([...rules].map(([name, group]) => [name, mergeRules(group)])),
  };
}

/** Blocks of one name, at least one. */
type Group<B> = readonly [B, ...B[]];

function byName<B>(blocks: readonly B[], nameOf: (block: B) => string): Map<string, Group<B>> {
  const groups = new Map<string, [B, ...B[]]>();
  for (const block of blocks) {
    const group = groups.get(nameOf(block));
    if (group) group.push(block);
    else groups.set(nameOf(block), [block]);
  }
  return groups;
}

function mergeActions(group: Group<ActionBlock>, findings: Findings): ActionBlock {
  const [first] = group;
  if (group.length === 1) return first;
  return {
    spot: first.spot,
    action: first.action,
    description: lastNonEmpty(group.map((block) => block.description)),
    actionner: lastNonEmpty(group.map((block) => block.actionner)),
    continue: lastNonEmpty(group.map((block) => block.continue)),
    ignore_errors: lastNonEmpty(group.map((block) => block.ignore_errors)),
    parameters: mergeBlockParameters(
      group.map((block) => block.parameters),
      findings,
    ),
    additional_contexts: group.flatMap((block) => block.additional_contexts),
    output: mergeOutputs(
      group.map((block) => block.output),
      findings,
    ),
    timeout: lastNonEmpty(group.map((block) => block.timeout)),
    retry: mergeRetries(group.map((block) => block.retry)),
    on_interrupt: lastNonEmpty(group.map((block) => block.on_interrupt)),
  };
}

function mergeOutputs(outputs: readonly (OutputBlock | undefined)[], findings: Findings): OutputBlock | undefined {
  const group = outputs.filter((output) => output !== undefined);
  const [first] = group;
  if (!first || group.length === 1) return first;
  return {
    spot: first.spot,
    target: lastNonEmpty(group.map(({ target }) => target)),
    parameters: mergeBlockParameters(
      group.map(({ parameters }) => parameters),
      findings,
    ),
  };
}

/** A later value of another type is dropped, as in Falco Talon, but not without a word. */
function mergeBlockParameters(
  [first, ...later]: readonly (Parameters | undefined)[],
  findings: Findings,
): Parameters | undefined {
  return mergeParameters([first, ...later.map(withoutNulls)], (name, before, after) => {
    const { file, line } = placeOf(before.value);
    findings.add('T1506', after.value, `\`${name}\` has another type at ${file}:${line}; this value is ignored`);
    return before;
  });
}

/**
 * Lists are appended. Priority, source and condition are replaced where the later block has them, by nothing only if it
 * says so with an empty text: Falco Talon also replaces them where the key is absent, which silently widens the rule.
 */
function mergeRules(group: Group<RuleBlock>): RuleBlock {
  const [first] = group;
  if (group.length === 1) return first;
  const matches = group.map(({ match }) => match);
  return {
    spot: first.spot,
    rule: first.rule,
    description: lastNonEmpty(group.map((block) => block.description)),
    match: {
      rules: matches.flatMap(({ rules }) => rules),
      priority: matches.findLast(({ priority }) => priority)?.priority,
      source: matches.findLast(({ source }) => source)?.source,
      tags: matches.flatMap(({ tags }) => tags),
      output_fields: matches.flatMap(({ output_fields }) => output_fields),
      condition: matches.findLast(({ condition }) => condition)?.condition,
    },
    continue: lastNonEmpty(group.map((block) => block.continue)),
    dry_run: lastNonEmpty(group.map((block) => block.dry_run)),
    notifiers: group.flatMap((block) => block.notifiers),
    actions: group.flatMap((block) => block.actions),
  };
}

function lastNonEmpty(nodes: readonly (ScalarNode | undefined)[]): ScalarNode | undefined {
  return nodes.findLast((node) => node?.text) ?? nodes[0];
}

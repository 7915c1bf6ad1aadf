import type { ActionBlock, OutputBlock, Parameters, RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import { countValues } from './count-values.ts';
import type { Findings } from './findings.ts';
import type { MergedBlocks } from './merge.ts';
import { mergeParameters, withoutNulls } from './merge-parameters.ts';
import { placeOf } from './source.ts';
import { mergeRetries } from './try-settings.ts';
import type { ScalarNode } from './yaml-node.ts';

/** Values of parameters that action blocks may give to actions, each time counted. Rules files have some thousands. */
const MAX_LENT = 2_000_000;

/** The rules with every action complete: what an item leaves out comes from the action block of the same name. */
export function resolve({ actions, rules }: MergedBlocks, findings: Findings): RuleBlock[] {
  const sizes = new Map([...actions].map(([name, block]) => [name, sizeOf(block)]));
  let lent = 0;
  const completed = (item: ActionBlock, rule: RuleBlock): ActionBlock => {
    const name = textOf(item.action);
    const block = actions.get(name);
    if (!block || lent > MAX_LENT) return item;
    lent += sizes.get(name) ?? 0;
    if (lent <= MAX_LENT) return complete(item, block, rule, findings);
    findings.add('T1213', item.action, `action blocks give more than ${MAX_LENT} parameters to the actions of rules`);
    return item;
  };
  return [...rules.values()].map((rule) => ({ ...rule, actions: rule.actions.map((item) => completed(item, rule)) }));
}

function sizeOf({ parameters, output }: ActionBlock): number {
  return countValues(parameters) + countValues(output?.parameters);
}

function complete(item: ActionBlock, block: ActionBlock, rule: RuleBlock, findings: Findings): ActionBlock {
  return {
    spot: item.spot,
    action: item.action,
    description: own(item.description, block.description),
    actionner: own(item.actionner, block.actionner),
    continue: own(item.continue, block.continue),
    ignore_errors: own(item.ignore_errors, block.ignore_errors),
    parameters: refine(item.parameters, block.parameters, { rule, item }, findings),
    additional_contexts: item.additional_contexts.length > 0 ? item.additional_contexts : block.additional_contexts,
    output: completeOutput(item, block, rule, findings),
    timeout: own(item.timeout, block.timeout),
    retry: mergeRetries([block.retry, item.retry]),
    on_interrupt: own(item.on_interrupt, block.on_interrupt),
  };
}

function completeOutput(
  item: ActionBlock,
  { output: block }: ActionBlock,
  rule: RuleBlock,
  findings: Findings,
): OutputBlock | undefined {
  if (!item.output || !block) return item.output ?? block;
  return {
    spot: item.output.spot,
    target: own(item.output.target, block.target),
    parameters: refine(item.output.parameters, block.parameters, { rule, item, target: block.target }, findings),
  };
}

interface Where {
  readonly rule: RuleBlock;
  readonly item: ActionBlock;
  /** The target of the block's output. */
  readonly target?: ScalarNode | undefined;
}

/** The item's parameters over those of the block. A value of another type wins too; Falco Talon prints an error for it. */
function refine(
  item: Parameters | undefined,
  block: Parameters | undefined,
  where: Where,
  findings: Findings,
): Parameters | undefined {
  return mergeParameters([withoutNulls(block), item], (name, base, over) => {
    const { file, line } = placeOf(base.value);
    findings.add('T1507', over.value, `\`${name}\` has another type in the action block at ${file}:${line}`, {
      record: {
        error: 'mismatch of type for a parameter',
        rule: where.rule.rule.text,
        action: textOf(where.item.action),
        ...(where.target?.text && { output_target: where.target.text }),
      },
    });
    return over;
  });
}

function own(item: ScalarNode | undefined, block: ScalarNode | undefined): ScalarNode | undefined {
  return item?.text ? item : (block ?? item);
}

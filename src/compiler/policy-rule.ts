import type { Catalog } from '../model/definition.ts';
import type { OutputTarget, PlannedAction, PolicyRule } from '../model/rule.ts';
import type { ActionBlock } from './blocks.ts';
import { presentOutput, textOf } from './blocks.ts';
import type { EmbeddedFiles } from './embed-files.ts';
import type { LoadedRule } from './load.ts';
import { parameterMap, spelledParameters } from './parameter-value.ts';
import { plannedTrySettings } from './try-settings.ts';
import type { ScalarNode } from './yaml-node.ts';

/**
 * A rule as the bundle carries it. The only place where defaults are filled in. For rules without errors: the actionner of
 * each action exists.
 */
export function policyRule(
  { block, terms }: LoadedRule,
  catalog: Catalog,
  files: ReadonlyMap<ActionBlock, EmbeddedFiles>,
): PolicyRule {
  const proceed = flag(block.continue);
  const dryRun = flag(block.dry_run);
  return {
    rule: block.rule.text,
    description: textOf(block.description),
    continue: proceed ?? true,
    dry_run: dryRun ?? false,
    notifiers: unique(block.notifiers),
    actions: block.actions.map((action) => plannedAction(action, catalog, files.get(action))),
    written: { ...(proceed !== undefined && { continue: proceed }), ...(dryRun !== undefined && { dry_run: dryRun }) },
    match: terms,
  };
}

function plannedAction(action: ActionBlock, catalog: Catalog, files: EmbeddedFiles | undefined): PlannedAction {
  const proceed = flag(action.continue);
  const ignoreErrors = flag(action.ignore_errors);
  const actionner = catalog.actionners.get(textOf(action.actionner));
  return {
    action: textOf(action.action),
    description: textOf(action.description),
    actionner: textOf(action.actionner),
    continue: continues(action, catalog),
    ignore_errors: ignoreErrors ?? false,
    parameters: actionner ? spelledParameters(action.parameters, actionner.parameters) : null,
    ...(files && { files }),
    additional_contexts: unique(action.additional_contexts),
    output: outputTarget(action),
    ...plannedTrySettings(action),
    written: {
      ...(proceed !== undefined && { continue: proceed }),
      ...(ignoreErrors !== undefined && { ignore_errors: ignoreErrors }),
    },
  };
}

/** Whether the next action runs: the file's setting, or else the actionner's default. */
export function continues(action: ActionBlock, catalog: Catalog): boolean {
  return flag(action.continue) ?? catalog.actionners.get(textOf(action.actionner))?.continue ?? true;
}

/** A flag that the file sets; undefined for an absent or empty one. */
export function flag(node: ScalarNode | undefined): boolean | undefined {
  return node?.text ? node.text === 'true' : undefined;
}

function outputTarget(action: ActionBlock): OutputTarget | null {
  const output = presentOutput(action.output);
  return output ? { target: textOf(output.target), parameters: parameterMap(output.parameters) ?? {} } : null;
}

function unique(nodes: readonly ScalarNode[]): string[] {
  return [...new Set(nodes.map(({ text }) => text))];
}

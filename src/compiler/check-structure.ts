import type { RulesRecord } from '../model/diagnostic.ts';
import type { ActionBlock, RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import type { ErrorId } from './errors.ts';
import type { Findings } from './findings.ts';
import { isNull } from './scalar-type.ts';
import type { ScalarNode } from './yaml-node.ts';

/** What the checks know of the files as a whole. */
export interface LoadFacts {
  /** Whether all files could be read, so that what is missing is not in a part that was lost. */
  readonly complete: boolean;
  /** Names of the action blocks. */
  readonly blocks: readonly string[];
}

/**
 * The checks of a rule that need no catalog, in Falco Talon's order (S1 to S9; those of `match` are made where its terms
 * are). A rule of a load in which a file could not be read is not blamed for what may stand in that file.
 */
export function checkStructure(rule: RuleBlock, load: LoadFacts, findings: Findings): void {
  const record = { rule: rule.rule.text };
  checkFlag('T1201', 'continue', rule.continue, record, findings);
  checkFlag('T1202', 'dry_run', rule.dry_run, record, findings);
  if (rule.actions.length === 0 && load.complete) {
    findings.add('T1203', rule.rule, `the rule \`${rule.rule.text}\` has no action`, {
      record: { error: 'no action specified', ...record },
    });
  }
  for (const action of rule.actions) checkAction(action, rule, load, findings);
}

/** The fields that name an action in Falco Talon's lines; empty ones are left out. */
export function actionRecord(rule: RuleBlock, action: ActionBlock): Omit<RulesRecord, 'error'> {
  return {
    rule: rule.rule.text,
    ...(action.action?.text && { action: action.action.text }),
    ...(action.actionner?.text && { actionner: action.actionner.text }),
  };
}

function checkAction(action: ActionBlock, rule: RuleBlock, load: LoadFacts, findings: Findings): void {
  const record = actionRecord(rule, action);
  if (!textOf(action.action)) {
    findings.add('T1204', action.action ?? action.spot, 'an action without a name', {
      record: { error: 'action without a name', rule: rule.rule.text },
    });
  }
  checkActionner(action, record, load, findings);
  checkFlag('T1207', 'continue', action.continue, record, findings);
  checkFlag('T1208', 'ignore_errors', action.ignore_errors, record, findings);
  const target = textOf(action.output?.target);
  if (target && !action.output?.parameters?.size) {
    findings.add('T1209', action.output?.target, `the output \`${target}\` has no parameters`, {
      record: { error: `missing 'parameters' for the output`, ...record, output_target: target },
    });
  }
}

function checkActionner(
  action: ActionBlock,
  record: Omit<RulesRecord, 'error'>,
  { complete, blocks }: LoadFacts,
  findings: Findings,
): void {
  const actionner = textOf(action.actionner);
  if (/[a-z]+:[a-z]+/.test(actionner)) return;
  if (actionner) {
    findings.add('T1206', action.actionner, `incorrect actionner \`${actionner}\``, {
      hint: 'an actionner is written as category:name, in lower case',
      record: { error: 'incorrect actionner', ...record },
    });
    return;
  }
  if (!complete) return;
  const name = textOf(action.action);
  const message = name ? `no actionner, and no action block \`${name}\` that has one` : 'no actionner';
  findings.add('T1205', action.actionner ?? action.action ?? action.spot, message, {
    hint: name ? findings.didYouMean(name, blocks) : undefined,
    record: { error: 'missing actionner', ...record },
  });
  findings.record({ error: 'incorrect actionner', ...record });
}

function checkFlag(
  code: ErrorId,
  key: string,
  node: ScalarNode | undefined,
  record: Omit<RulesRecord, 'error'>,
  findings: Findings,
): void {
  if (!node || isNull(node) || ['', 'true', 'false'].includes(node.text)) return;
  findings.add(code, node, `\`${key}\` must be true or false, not \`${node.text}\``, {
    hint: flagHint(node.text, findings),
    record: { error: `'${key}' setting can be 'true' or 'false' only`, ...record },
  });
}

function flagHint(text: string, findings: Findings): string | undefined {
  const word = text.trim().toLowerCase();
  if (['true', 'yes', 'on', 'y', '1'].includes(word)) return 'write `true`';
  if (['false', 'no', 'off', 'n', '0'].includes(word)) return 'write `false`';
  return findings.didYouMean(text, ['true', 'false']);
}

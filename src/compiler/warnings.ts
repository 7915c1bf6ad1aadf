import type { Catalog } from '../model/definition.ts';
import type { ActionBlock, RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import { ActionChecker, type CheckOptions } from './check-actions.ts';
import { Findings } from './findings.ts';
import type { Loaded, LoadedRule } from './load.ts';
import { continues, flag } from './policy-rule.ts';
import { warnOfQuotedTokens } from './quoted-tokens.ts';
import { placeOf } from './source.ts';

/** Looks for what is legal and probably not meant. */
export function warn(loaded: Loaded, options: CheckOptions, findings: Findings): void {
  for (const { block } of loaded.rules) {
    warnOfNotifiers(block, options.catalog, findings);
    warnOfUnreachableActions(block, options.catalog, findings);
    for (const action of block.actions) warnOfQuotedTokens(action, findings);
  }
  for (const rule of loaded.rules) warnOfMatchAll(rule, options.catalog, findings);
  warnOfShadowedRules(loaded.rules, findings);
  warnOfUnusedBlocks(loaded, options, findings);
}

function warnOfNotifiers(rule: RuleBlock, catalog: Catalog, findings: Findings): void {
  for (const notifier of rule.notifiers) {
    if (catalog.notifiers.has(notifier.text)) continue;
    findings.add('T1701', notifier, `unknown notifier \`${notifier.text}\`, ignored`, {
      hint: findings.didYouMean(notifier.text, [...catalog.notifiers.keys()]),
    });
  }
}

/** Falco Talon stops after a capture; its documentation says that it goes on, and so does Talon. */
const CAPTURE = 'kubernetes:tcpdump';

function warnOfUnreachableActions(rule: RuleBlock, catalog: Catalog, findings: Findings): void {
  for (const [index, action] of rule.actions.entries()) {
    const next = rule.actions[index + 1];
    if (!next) return;
    if (textOf(action.actionner) === CAPTURE && flag(action.continue) === undefined) {
      const message = `\`${textOf(next.action)}\` runs after the capture, which it does not in Falco Talon`;
      findings.add('T1604', next.action ?? next.spot, message, {
        hint: 'set `continue` on the capture to say what is meant',
      });
    }
    if (continues(action, catalog)) continue;
    const reason =
      flag(action.continue) === false ? '`continue: false`' : `the default of \`${textOf(action.actionner)}\``;
    const message = `\`${textOf(next.action)}\` is never reached: \`${textOf(action.action)}\` ends the rule (${reason})`;
    findings.add('T1601', next.action ?? next.spot, message, { hint: 'set `continue: true` on the action before it' });
    return;
  }
}

function warnOfMatchAll({ block, terms }: LoadedRule, catalog: Catalog, findings: Findings): void {
  const { rules, tags, output_fields, source } = terms;
  const narrow =
    rules.length + tags.length + output_fields.length > 0 || source !== '' || textOf(block.match.condition) !== '';
  if (narrow || !acceptsAnyPriority(terms.priority.accepts)) return;
  const destructive = block.actions.find((action) => catalog.actionners.get(textOf(action.actionner))?.destructive);
  if (!destructive) return;
  const name = textOf(destructive.actionner);
  findings.add('T1603', block.rule, `\`${block.rule.text}\` runs \`${name}\` for every alert that Falco sends`, {
    hint: 'name Falco rules in `match.rules`',
  });
}

/** Every priority that a Falco alert has; the one of alerts without any does not make a rule narrow. */
function acceptsAnyPriority(accepts: number): boolean {
  return (accepts | 1) === 0b1_1111_1111;
}

/** A rule that ends the walk hides the later ones with the same match, or all of them if it matches everything. */
function warnOfShadowedRules(rules: readonly LoadedRule[], findings: Findings): void {
  const earlier = new Map<string, LoadedRule>();
  for (const rule of rules) {
    const match = matchKey(rule);
    const before = earlier.get(match);
    if (before) warnOfRepetition(rule, before, findings);
    else earlier.set(match, rule);
  }
}

function warnOfRepetition(rule: LoadedRule, before: LoadedRule, findings: Findings): void {
  const name = rule.block.rule;
  const { file, line } = placeOf(before.block.rule);
  const where = `\`${before.block.rule.text}\` (${file}:${line})`;
  if (flag(before.block.continue) === false) {
    const message = `\`${name.text}\` is never reached: ${where} matches the same alerts and has \`continue: false\``;
    findings.add('T1602', name, message);
  } else if (rule.block.actions.length > 0 && actionsKey(rule) === actionsKey(before)) {
    findings.add('T1605', name, `\`${name.text}\` does the same for the same alerts as ${where}`);
  }
}

function matchKey({ block, terms }: LoadedRule): string {
  const { rules, priority, source, tags, output_fields } = terms;
  const lists = [rules, tags, output_fields].map((list) => list.map((item) => JSON.stringify(item)).sort());
  return JSON.stringify([...lists, priority.accepts, source, textOf(block.match.condition)]);
}

function actionsKey({ block }: LoadedRule): string {
  return JSON.stringify(
    block.actions.map((action) => [
      textOf(action.action),
      textOf(action.actionner),
      action.spot.source.text.slice(action.spot.start, action.spot.end),
    ]),
  );
}

/** Blocks that nothing uses are not checked by Falco Talon; a fault in one shows when somebody uses it. */
function warnOfUnusedBlocks({ merged, rules }: Loaded, options: CheckOptions, findings: Findings): void {
  const used = new Set(rules.flatMap(({ block }) => block.actions.map((action) => textOf(action.action))));
  for (const [name, block] of merged.actions) {
    if (used.has(name) || !textOf(block.actionner)) continue;
    const faults = faultsOf(block, options);
    for (const message of faults)
      findings.add(
        'T1508',
        block.action ?? block.spot,
        `the action block \`${name}\` is not used and has a fault: ${message}`,
      );
  }
}

function faultsOf(block: ActionBlock, options: CheckOptions): string[] {
  const own = new Findings();
  const rule: RuleBlock = {
    spot: block.spot,
    rule: block.action ?? { kind: 'scalar', ...block.spot, text: '', plain: false },
    description: undefined,
    match: { rules: [], priority: undefined, source: undefined, tags: [], output_fields: [], condition: undefined },
    continue: undefined,
    dry_run: undefined,
    notifiers: [],
    actions: [block],
  };
  new ActionChecker(options, own).check(block, rule);
  return own
    .sorted()
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => message);
}

import type { Catalog } from '../model/definition.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { type GuardFault, parseGuardExpression } from '../model/guard-expression.ts';
import type { GuardDenial, GuardMode, GuardPolicy } from '../model/guard-policy.ts';
import { GUARD_NAMES } from '../model/guard-variables.ts';
import { type DenialBlock, type PolicyBlock, textOf } from './blocks.ts';
import type { ErrorId } from './errors.ts';
import { hasExpressionTag } from './expression-tag.ts';
import { Findings } from './findings.ts';
import { guardBudget } from './guard-budget.ts';
import { parsePolicies } from './parse-policies.ts';
import { read, type SourceFile } from './read.ts';
import { placeOf, type Source } from './source.ts';
import { spotWithin } from './spot-within.ts';
import type { ScalarNode } from './yaml-node.ts';

/** What the compiler says about files of guard policies. */
export interface CheckedPolicies {
  /** As the bundle carries them, in the order of the files; absent when a diagnostic is an error. */
  readonly guards?: readonly GuardPolicy[];
  /** All findings, by file, line and column. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
}

/** All phases for guard policies. Never throws for bad input. */
export function checkPolicies(files: readonly SourceFile[], catalog: Catalog): CheckedPolicies {
  const findings = new Findings();
  const sources = files.map((file) => read(file, findings)).filter((source) => source !== undefined);
  const blocks = sources.flatMap((source) => parsePolicies(source, findings));
  refuseEqualNames(blocks, findings);
  const guards = blocks.map((block) => guardPolicy(block, catalog, findings));
  return { ...(!findings.failed && { guards }), diagnostics: findings.sorted(), sources };
}

function refuseEqualNames(blocks: readonly PolicyBlock[], findings: Findings): void {
  const seen = new Map<string, PolicyBlock>();
  for (const block of blocks) {
    const name = textOf(block.policy);
    const before = seen.get(name);
    if (!before) {
      seen.set(name, block);
      continue;
    }
    const { file, line } = placeOf(before.spot);
    findings.add('T1903', block.policy, `there is a policy \`${name}\` at ${file}:${line} already`);
  }
}

function guardPolicy(block: PolicyBlock, catalog: Catalog, findings: Findings): GuardPolicy {
  if (block.deny.length + block.budgets.length === 0) {
    findings.add('T1906', block.policy, `the policy \`${textOf(block.policy)}\` stops nothing`);
  }
  for (const node of block.actionners ?? []) checkActionner(node, catalog, findings);
  if (block.actionners?.length === 0) {
    findings.add('T1905', block.spot, 'the policy is for no actionner', { hint: 'without `actionners` it is for all' });
  }
  return {
    policy: textOf(block.policy),
    description: textOf(block.description),
    mode: policyMode(block.mode, findings),
    actionners: [...new Set(block.actionners?.map(({ text }) => text))],
    deny: block.deny.flatMap((denial) => guardDenial(denial, findings)),
    budgets: block.budgets.map((budget) => guardBudget(budget, findings)),
  };
}

function policyMode(node: ScalarNode | undefined, findings: Findings): GuardMode {
  const text = node?.text ?? 'enforce';
  if (text === 'enforce' || text === 'monitor') return text;
  const hint = findings.didYouMean(text, ['enforce', 'monitor']);
  findings.add('T1904', node, `\`mode\` is enforce or monitor, not \`${text}\``, { hint });
  return 'enforce';
}

function checkActionner(node: ScalarNode, { actionners }: Catalog, findings: Findings): void {
  const ids = [...actionners.keys()];
  const categories = [...new Set(ids.map((id) => `${id.slice(0, id.indexOf(':'))}:*`))];
  const known = [...ids, ...categories, 'destructive'];
  if (known.includes(node.text)) return;
  const hint = findings.didYouMean(node.text, known);
  findings.add('T1905', node, `there is no actionner \`${node.text}\``, { hint });
}

function guardDenial({ spot, expression, message }: DenialBlock, findings: Findings): GuardDenial[] {
  if (expression && hasExpressionTag('T1908', expression, findings)) return [];
  for (const [key, node] of Object.entries({ expression, message })) {
    if (!node?.text) findings.add('T1907', node ?? { ...spot, end: spot.start }, `a denial without \`${key}\``);
  }
  if (!expression?.text) return [];
  const parsed = parseGuardExpression(expression.text);
  if (parsed.ok) return [{ expression: expression.text, message: textOf(message) }];
  for (const fault of parsed.faults) {
    const place = spotWithin(expression, fault.offset, fault.offset + fault.length);
    findings.add(FAULTS[fault.kind], place, fault.message, { hint: faultHint(fault, expression.text, findings) });
  }
  return [];
}

const FAULTS: Readonly<Record<GuardFault['kind'], ErrorId>> = {
  malformed: 'T1908',
  missing: 'T1909',
  failing: 'T1910',
};

function faultHint(
  { kind, message, offset, length }: GuardFault,
  expression: string,
  findings: Findings,
): string | undefined {
  const part = expression.slice(offset, offset + length);
  if (kind === 'malformed') return /^\w+$/.test(part) ? findings.didYouMean(part, GUARD_NAMES) : undefined;
  if (!message.endsWith('may be missing')) return undefined;
  const [, map, key] = /^(.+)\[("[^"]*"|'[^']*'|\w+)\]$/.exec(part) ?? [];
  if (map !== undefined) return `look for it first: \`${key} in ${map} && ...\``;
  return /^\w+(?:\.\w+)+$/.test(part) ? `look for it first: \`has(${part}) && ...\`` : undefined;
}

import { BUDGET_KEYS, type BudgetKey, type GuardBudget, LONGEST_WINDOW_SECONDS } from '../model/guard-policy.ts';
import type { BudgetBlock } from './blocks.ts';
import { secondsOf } from './duration.ts';
import type { Findings } from './findings.ts';
import type { ScalarNode } from './yaml-node.ts';

/** The uses of a budget are counted each time; what is meant to be without a limit needs none. */
const LARGEST_BUDGET = 100_000;

/** Checks a budget. What is malformed becomes a finding and leaves a budget that nobody uses. */
export function guardBudget(block: BudgetBlock, findings: Findings): GuardBudget {
  const max = block.max ? budgetMax(block.max, findings) : missing('max', block, findings);
  const window = block.window ? budgetWindow(block.window, findings) : missing('window', block, findings);
  return { max, window, per: block.per ? budgetKeys(block.per, findings) : ['target'] };
}

function missing(key: string, { spot }: BudgetBlock, findings: Findings): number {
  findings.add('T1911', { ...spot, end: spot.start }, `a budget without \`${key}\``);
  return 0;
}

function budgetMax(node: ScalarNode, findings: Findings): number {
  const max = /^\d+$/.test(node.text) ? Number(node.text) : 0;
  if (max >= 1 && max <= LARGEST_BUDGET) return max;
  const hint = node.text === '0' ? 'what is never allowed is a denial: `expression: true`' : undefined;
  findings.add('T1911', node, `\`max\` is a number from 1 to ${LARGEST_BUDGET}, not \`${node.text}\``, { hint });
  return 0;
}

function budgetWindow(node: ScalarNode, findings: Findings): number {
  const window = /[hms]$/.test(node.text) ? secondsOf(node.text) : undefined;
  if (window !== undefined && Number.isInteger(window) && window > 0 && window <= LONGEST_WINDOW_SECONDS) return window;
  const isLong = window !== undefined && window > LONGEST_WINDOW_SECONDS;
  const message = isLong ? 'is longer than 24h' : 'is no duration such as `30s`, `10m` or `1h30m`';
  findings.add('T1911', node, `\`${node.text}\` ${message}`);
  return 0;
}

function budgetKeys(nodes: readonly ScalarNode[], findings: Findings): readonly BudgetKey[] {
  const isKey = (text: string): text is BudgetKey => (BUDGET_KEYS as readonly string[]).includes(text);
  for (const node of nodes) {
    if (isKey(node.text)) continue;
    const hint = findings.didYouMean(node.text, BUDGET_KEYS) ?? `it is one of ${BUDGET_KEYS.join(', ')}`;
    findings.add('T1911', node, `a budget cannot count by \`${node.text}\``, { hint });
  }
  const given = new Set(nodes.map(({ text }) => text));
  return BUDGET_KEYS.filter((key) => given.has(key));
}

import type { ErrorId } from './errors.ts';
import type { Findings } from './findings.ts';
import type { ScalarNode } from './yaml-node.ts';

/**
 * Whether an expression without quotes begins with `!`: to YAML that is a tag, and the expression only what follows it, which
 * means something else. Adds the finding.
 */
export function hasExpressionTag(code: ErrorId, node: ScalarNode, findings: Findings): boolean {
  if (node.tag === undefined || node.tag === 'str') return false;
  findings.add(code, node, 'to YAML, `!` at the start of a text is a tag', { hint: 'put the expression in quotes' });
  return true;
}

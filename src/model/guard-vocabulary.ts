import { type ASTNode, evaluate } from '@marcbachmann/cel-js';
import { childrenOf, TIME_PARTS, type VocabularyFault } from './condition-vocabulary.ts';

/** Functions of conditions that fail for some texts, and so are none of guards: an alert chooses its texts. */
const MAY_FAIL = new Set(['int', 'uint', 'double', 'bool', 'substring', 'split', 'join', 'indexOf', 'lastIndexOf']);

/** Functions that fail for texts that do not mean anything to them: theirs have to stand in the expression, and be right. */
const CONSTANT = new Set(['timestamp', 'duration']);

/**
 * Finds what would fail for some alerts, or for all, beside what is missing: conversions, divisions, times that are none. A
 * guard that fails parks its plan, and nobody who writes alerts is to decide that.
 */
export function failingParts(root: ASTNode): readonly VocabularyFault[] {
  return [...failing(root), ...childrenOf(root).flatMap(failingParts)];
}

function failing(node: ASTNode): VocabularyFault[] {
  switch (node.op) {
    case 'call':
    case 'rcall':
      return failingCall(node, node.args[0]);
    case '/':
    case '%':
      return isNonZero(node.args[1])
        ? []
        : [{ message: `the divisor must be a number other than 0`, node: node.args[1] }];
    default:
      return [];
  }
}

function failingCall(node: Extract<ASTNode, { op: 'call' | 'rcall' }>, name: string): VocabularyFault[] {
  if (MAY_FAIL.has(name)) return [{ message: `\`${name}\` fails for some texts, so that guards cannot use it`, node }];
  const args = node.op === 'call' ? node.args[1] : node.args[2];
  const zone = args[0];
  if (TIME_PARTS.test(name) && zone) {
    const works = evaluates(`timestamp("2000-01-01T00:00:00Z").getHours(${textOf(zone)})`);
    return works ? [] : [{ message: 'unknown time zone', node: zone }];
  }
  if (!CONSTANT.has(name)) return [];
  if (zone?.op !== 'value') return [{ message: `the argument of \`${name}\` must be a text in the expression`, node }];
  return evaluates(textOf(node)) ? [] : [{ message: `\`${textOf(zone)}\` is no ${name}`, node: zone }];
}

function isNonZero({ op, args }: ASTNode): boolean {
  return op === 'value' && (typeof args === 'number' || typeof args === 'bigint') && Number(args) !== 0;
}

function evaluates(text: string): boolean {
  try {
    evaluate(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(node: ASTNode): string {
  return node.input.slice(node.start, node.end);
}

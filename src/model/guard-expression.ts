import type { ASTNode } from '@marcbachmann/cel-js';
import { type ConditionFault, faultOf, parseBoolean } from './condition.ts';
import { ConditionProgram } from './condition-program.ts';
import { childrenOf, type VocabularyFault } from './condition-vocabulary.ts';
import { BUDGET_KEYS, type BudgetKey } from './guard-policy.ts';
import { missingPresence } from './guard-presence.ts';
import { GUARD_VOCABULARY, type GuardVariables } from './guard-variables.ts';
import { failingParts } from './guard-vocabulary.ts';

/** What has to be looked up of the target: nothing, its pod, or the pod and its node. */
export type FactsNeeded = 'none' | 'pod' | 'node';

/** A deny expression of a guard that has been parsed and checked. */
export interface GuardExpression {
  readonly needs: FactsNeeded;
  /** What it counts by. */
  readonly counts: ReadonlySet<BudgetKey>;
  /** Throws where CEL has an error, or where the result is neither true nor false. */
  evaluate(variables: GuardVariables): boolean;
}

/** What the API server is asked for. */
const OF_POD = ['target.labels', 'target.owner', 'target.node', 'target.verified'];
const OF_NODE = ['target.node.labels', 'target.node.control_plane', 'target.verified'];

/** What is wrong with an expression, and of what kind: in itself, or because an alert could make it fail. */
export interface GuardFault extends Omit<ConditionFault, 'ok'> {
  readonly kind: 'malformed' | 'missing' | 'failing';
}

/**
 * Parses and checks a deny expression: a condition (`parseCondition`) with the variables of guards, in which nothing can fail
 * because an alert leaves something out.
 */
export function parseGuardExpression(
  text: string,
):
  | { readonly ok: true; readonly expression: GuardExpression }
  | { readonly ok: false; readonly faults: readonly GuardFault[] } {
  const program = new ConditionProgram(text, GUARD_VOCABULARY);
  const parsed = parseBoolean(program, text, 'an expression of a guard');
  if ('ok' in parsed) return { ok: false, faults: [{ ...parsed, kind: 'malformed' }] };
  const faults = [
    ...missingPresence(parsed.ast).map((fault) => guardFault('missing', fault)),
    ...failingParts(parsed.ast).map((fault) => guardFault('failing', fault)),
  ];
  return faults.length > 0 ? { ok: false, faults } : { ok: true, expression: expressionOf(program, parsed.ast) };
}

function guardFault(kind: GuardFault['kind'], fault: VocabularyFault): GuardFault {
  return { ...faultOf(fault), kind };
}

function expressionOf(program: ConditionProgram, ast: ASTNode): GuardExpression {
  const reads = membersRead(ast);
  const counts = BUDGET_KEYS.filter((key) => reads.has(`counts.${key}`));
  return {
    needs: factsNeeded(reads),
    counts: new Set(counts),
    evaluate(variables) {
      const result = program.run({ ...variables });
      if (typeof result !== 'boolean') throw new TypeError('neither true nor false');
      return result;
    },
  };
}

function factsNeeded(reads: ReadonlySet<string>): FactsNeeded {
  if (OF_NODE.some((path) => reads.has(path))) return 'node';
  return OF_POD.some((path) => reads.has(path)) ? 'pod' : 'none';
}

/** What is read of the variables. There is no other way to a value than from a variable by its members. */
function membersRead(node: ASTNode): Set<string> {
  const path = pathOf(node);
  return new Set([
    ...(path === undefined ? [] : [path]),
    ...childrenOf(node).flatMap((child) => [...membersRead(child)]),
  ]);
}

function pathOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const owner = pathOf(node.args[0]);
  const key = node.op === '.' ? node.args[1] : node.args[1].args;
  return owner === undefined || typeof key !== 'string' ? undefined : `${owner}.${key}`;
}

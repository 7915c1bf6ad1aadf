import type { ASTNode } from '@marcbachmann/cel-js';
import { parseCondition } from '../model/condition.ts';
import { conditionNumbers } from '../model/condition-builtins.ts';
import type { PolicyRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';
import { type Test, translateTest } from './condition-test.ts';
import { type Group, holds, type Term, type Vocabulary } from './vocabulary.ts';

/** A condition as the module evaluates it. */
export interface LoweredCondition {
  /** Number of the condition and of its host builtin. */
  readonly number: number;
  /** What the module decides by itself: it must be true for the condition to hold. */
  readonly test: Test | undefined;
  /** Whether the host is asked after that, because the test is not all of the condition. */
  readonly needsHost: boolean;
  /** Criteria that hold whenever the condition does, by which rules can be found. */
  readonly implied: readonly Group[];
}

/** Most alternatives of an implied criterion that is put together from two. */
const MOST_ALTERNATIVES = 16;
/** Tests in all conditions of a policy together; what is beyond is left to the host. Engines limit the size of a function. */
const MOST_TESTS = 250_000;

/**
 * The distinct conditions of a policy by their texts, in the order of their numbers.
 *
 * @throws TalonError `rules` for a malformed one
 */
export function lowerConditions(
  rules: readonly PolicyRule[],
  vocabulary: Vocabulary,
): ReadonlyMap<string, LoweredCondition> {
  let room = MOST_TESTS;
  const lowered = new Map<string, LoweredCondition>();
  for (const [text, number] of conditionNumbers(rules)) {
    const condition = lowerCondition(text, number, vocabulary);
    const size = condition.test ? countTests(condition.test) : 0;
    lowered.set(text, size <= room ? condition : { ...condition, test: undefined, needsHost: true });
    room -= Math.min(size, room);
  }
  return lowered;
}

function lowerCondition(text: string, number: number, vocabulary: Vocabulary): LoweredCondition {
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new TalonError('rules', `the condition \`${text}\` is malformed: ${parsed.message}`);
  const parts = conjuncts(parsed.condition.ast);
  const tests = parts.map((part) => translateTest(part, vocabulary)).filter((test) => test !== undefined);
  const [first, ...others] = tests;
  return {
    number,
    test: first && others.reduce<Test>((left, right) => ({ kind: 'and', left, right }), first),
    needsHost: tests.length < parts.length,
    implied: tests.map(alternativesOf).filter((group) => group !== undefined),
  };
}

function countTests(test: Test): number {
  switch (test.kind) {
    case 'not':
      return 1 + countTests(test.operand);
    case 'and':
    case 'or':
      return 1 + countTests(test.left) + countTests(test.right);
    case 'choose':
      return 1 + countTests(test.condition) + countTests(test.yes) + countTests(test.no);
    default:
      return 1;
  }
}

/** The parts that must all be true for the whole to be true. */
function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** A criterion that holds whenever a test is true; undefined if facts do not tell. */
function alternativesOf(test: Test): Group | undefined {
  switch (test.kind) {
    case 'text':
    case 'fact':
      return [[holds(test.fact)]];
    case 'or': {
      const left = alternativesOf(test.left);
      const right = alternativesOf(test.right);
      return left && right && [...left, ...right];
    }
    case 'and':
      return bothOf(alternativesOf(test.left), alternativesOf(test.right));
    default:
      return undefined;
  }
}

function bothOf(left: Group | undefined, right: Group | undefined): Group | undefined {
  if (!left || !right) return left ?? right;
  if (left.length * right.length > MOST_ALTERNATIVES) return left;
  return left.flatMap((terms) => right.map((others): Term[] => [...terms, ...others]));
}

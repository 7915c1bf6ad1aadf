import type { ASTNode } from '@marcbachmann/cel-js';
import * as layout from './core/layout.ts';
import { type Fact, fieldSlot, type HeaderText, type Slot, tagFact, type Vocabulary, valueFact } from './vocabulary.ts';

/** A condition, or a part of one, that the policy module can decide by itself, in terms of the core's functions. */
export type Test =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'present'; readonly slot: Slot }
  | { readonly kind: 'truth'; readonly slot: Slot }
  | { readonly kind: 'text'; readonly slot: Slot; readonly fact: Fact }
  /** Equal to true, false or null: one of the KIND_ constants. */
  | { readonly kind: 'word'; readonly slot: Slot; readonly word: number }
  /** `operator` is one of the COMPARE_ constants. */
  | { readonly kind: 'number'; readonly slot: Slot; readonly operator: number; readonly number: number }
  | { readonly kind: 'search'; readonly slot: Slot; readonly where: Search; readonly text: string }
  | { readonly kind: 'fact'; readonly fact: Fact }
  | { readonly kind: 'not'; readonly operand: Test }
  | { readonly kind: 'and' | 'or'; readonly left: Test; readonly right: Test }
  | { readonly kind: 'choose'; readonly condition: Test; readonly yes: Test; readonly no: Test };

export type Search = 'starts' | 'ends' | 'contains';

type Literal = string | number | bigint | boolean | null;

const HEADERS = ['rule', 'priority', 'source', 'hostname'] as const satisfies readonly HeaderText[];
const SEARCHES: Readonly<Record<string, Search>> = { startsWith: 'starts', endsWith: 'ends', contains: 'contains' };
const ORDERS: Readonly<Record<string, { readonly operator: number; readonly mirrored: number }>> = {
  '<': { operator: layout.COMPARE_LESS, mirrored: layout.COMPARE_MORE },
  '<=': { operator: layout.COMPARE_AT_MOST, mirrored: layout.COMPARE_AT_LEAST },
  '>': { operator: layout.COMPARE_MORE, mirrored: layout.COMPARE_LESS },
  '>=': { operator: layout.COMPARE_AT_LEAST, mirrored: layout.COMPARE_AT_MOST },
};

/**
 * Translates a part of a type-checked expression that has a truth. Undefined where the module could not give exactly the answer
 * of CEL, for which the host is asked then: regular expressions, times, arithmetic, macros, order of texts, numbers from
 * 2^53 on, and whatever else the list above lacks.
 */
export function translateTest(node: ASTNode, vocabulary: Vocabulary): Test | undefined {
  switch (node.op) {
    case '&&':
    case '||':
      return translateLogic(node.op === '&&' ? 'and' : 'or', node.args, vocabulary);
    case '!_': {
      const operand = translateTest(node.args, vocabulary);
      return operand && { kind: 'not', operand };
    }
    case '?:': {
      const [condition, yes, no] = node.args.map((part) => translateTest(part, vocabulary));
      return condition && yes && no && { kind: 'choose', condition, yes, no };
    }
    case '==':
      return translateEquality(node.args, vocabulary);
    case '!=': {
      const operand = translateEquality(node.args, vocabulary);
      return operand && { kind: 'not', operand };
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return translateOrder(node.op, node.args, vocabulary);
    case 'in':
      return translateMembership(node.args, vocabulary);
    case 'rcall':
      return translateSearch(node.args, vocabulary);
    case 'call':
      return translatePresence(node.args, vocabulary);
    case 'value':
      return typeof node.args === 'boolean' ? { kind: 'constant', value: node.args } : undefined;
    default: {
      const slot = slotOf(node, vocabulary);
      return slot?.kind === 'field' ? { kind: 'truth', slot } : undefined;
    }
  }
}

function translateLogic(kind: 'and' | 'or', parts: readonly ASTNode[], vocabulary: Vocabulary): Test | undefined {
  const [left, right] = parts.map((part) => translateTest(part, vocabulary));
  return left && right && { kind, left, right };
}

function translateEquality([left, right]: readonly [ASTNode, ASTNode], vocabulary: Vocabulary): Test | undefined {
  const slot = slotOf(left, vocabulary) ?? slotOf(right, vocabulary);
  const literal = literalOf(right) ?? literalOf(left);
  return slot && literal && equals(slot, literal.value);
}

function equals(slot: Slot, value: Literal): Test | undefined {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? { kind: 'text', slot, fact: valueFact(slot, value) } : undefined;
    case 'boolean':
      return { kind: 'word', slot, word: value ? layout.KIND_TRUE : layout.KIND_FALSE };
    case 'object':
      return { kind: 'word', slot, word: layout.KIND_NULL };
    default:
      return compares(slot, layout.COMPARE_EQUAL, value);
  }
}

function compares(slot: Slot, operator: number, value: number | bigint): Test | undefined {
  const number = Number(value);
  // Up to there, each integer of an alert is on the same side of the number as its nearest double.
  if (Math.abs(number) >= 2 ** 53) return undefined;
  slot.readsNumber = true;
  return { kind: 'number', slot, operator, number };
}

function translateOrder(
  order: string,
  [left, right]: readonly [ASTNode, ASTNode],
  vocabulary: Vocabulary,
): Test | undefined {
  const slotIsLeft = slotOf(left, vocabulary) !== undefined;
  const slot = slotOf(slotIsLeft ? left : right, vocabulary);
  const literal = literalOf(slotIsLeft ? right : left)?.value;
  const operators = ORDERS[order];
  if (!slot || !operators || (typeof literal !== 'number' && typeof literal !== 'bigint')) return undefined;
  return compares(slot, slotIsLeft ? operators.operator : operators.mirrored, literal);
}

/** `value in ["a", 1]`, `"key" in event.output_fields`, `"tag" in event.tags` */
function translateMembership([left, right]: readonly [ASTNode, ASTNode], vocabulary: Vocabulary): Test | undefined {
  const literal = literalOf(left)?.value;
  if (typeof literal === 'string' && isWellFormed(literal)) {
    if (isMember(right, 'output_fields')) return { kind: 'present', slot: fieldSlot(vocabulary, literal) };
    if (isMember(right, 'tags')) return { kind: 'fact', fact: tagFact(vocabulary, literal) };
  }
  const slot = slotOf(left, vocabulary);
  if (!slot || right.op !== 'list' || right.args.length === 0) return undefined;
  const tests = right.args.map((item) => {
    const wanted = literalOf(item);
    return wanted && equals(slot, wanted.value);
  });
  return tests.reduce((left, right) => left && right && { kind: 'or', left, right });
}

function translateSearch(
  [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
  vocabulary: Vocabulary,
): Test | undefined {
  const where = SEARCHES[name];
  const slot = slotOf(receiver, vocabulary);
  const text = args[0] && literalOf(args[0])?.value;
  if (!where || !slot || typeof text !== 'string' || !isWellFormed(text)) return undefined;
  return { kind: 'search', slot, where, text };
}

/** `has(event.output_fields.key)` */
function translatePresence(
  [name, args]: readonly [string, readonly ASTNode[]],
  vocabulary: Vocabulary,
): Test | undefined {
  const slot = name === 'has' && args[0] ? slotOf(args[0], vocabulary) : undefined;
  return slot?.kind === 'field' ? { kind: 'present', slot } : undefined;
}

/** The slot of `event.rule` and its like, `event.output_fields["key"]` and `event.output_fields.key`. */
function slotOf(node: ASTNode, vocabulary: Vocabulary): Slot | undefined {
  const header = HEADERS.find((name) => isMember(node, name));
  if (header) return vocabulary.headers[header];
  if ((node.op !== '.' && node.op !== '[]') || !isMember(node.args[0], 'output_fields')) return undefined;
  const key = node.op === '.' ? node.args[1] : literalOf(node.args[1])?.value;
  return typeof key === 'string' && isWellFormed(key) ? fieldSlot(vocabulary, key) : undefined;
}

function isMember(node: ASTNode, name: string): boolean {
  return node.op === '.' && node.args[1] === name && node.args[0].op === 'id' && node.args[0].args === 'event';
}

function literalOf(node: ASTNode): { readonly value: Literal } | undefined {
  if (node.op === '-_') {
    const operand = literalOf(node.args)?.value;
    if (typeof operand === 'bigint') return { value: -operand };
    return typeof operand === 'number' ? { value: -operand } : undefined;
  }
  if (node.op !== 'value') return undefined;
  const value = node.args;
  if (typeof value === 'object' && value !== null) return undefined;
  return { value };
}

/** Half of a surrogate pair has no UTF-8, so the module cannot hold such a text. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

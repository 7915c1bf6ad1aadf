import { RE2JS } from '@bufbuild/re2';
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { ConditionEvent, EVENT_MEMBERS } from './condition-event.ts';
import { checkVocabulary, childrenOf } from './condition-vocabulary.ts';
import type { FalcoEvent } from './falco-event.ts';

/** UTF-16 units of an expression. */
const MAX_LENGTH = 32_768;
const LIMITS = { maxAstNodes: 4_000, maxDepth: 64, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 8 };

/** UTF-16 units of a text that `matches` searches. RE2 needs time in proportion to it, yet up to 10 us for each of them. */
const MAX_SEARCHED = 65_536;

/** The method that `matches` becomes, since the library's own would give the pattern to a backtracking RegExp. */
const LINEAR_MATCHES = 'matchesInLinearTime';

/** An expression that has been parsed and type-checked. */
export interface Condition {
  readonly text: string;
  /** For the compiler of the policy module. */
  readonly ast: ASTNode;
  /** True or false, or something else for a result of unknown type. Throws where CEL has an error. */
  readonly run: (context: { readonly event: ConditionEvent }) => unknown;
}

/** A place in the expression, in UTF-16 units. */
export interface ConditionFault {
  readonly ok: false;
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

const VOCABULARY = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false })
  .registerType('Event', { ctor: ConditionEvent, fields: EVENT_MEMBERS })
  .registerVariable('event', 'Event');

const views = new WeakMap<FalcoEvent, ConditionEvent>();

/**
 * Parses and type-checks a CEL expression over the variable `event`. Comparisons follow the CEL specification: values of
 * different types are unequal, ints and doubles compare by value, an absent field is an error. `matches` takes RE2
 * patterns and time in proportion to the text; a text of more than 65,536 UTF-16 units is an error. Sizes are limited, so
 * that no expression overflows the stack.
 */
export function parseCondition(text: string): { readonly ok: true; readonly condition: Condition } | ConditionFault {
  if (text.length > MAX_LENGTH) return fault(`the expression is longer than ${MAX_LENGTH} characters`, 0, text.length);
  const patterns = new Map<string, RE2JS>();
  try {
    const parsed = environmentWith(patterns).parse(text);
    const objection = checkVocabulary(parsed.ast);
    if (objection) return faultAt(objection.message, objection.node);
    return compilePatterns(parsed.ast, patterns) ?? checkTypes(text, parsed);
  } catch (error) {
    return libraryFault(text, error);
  }
}

/** Whether a condition holds for an alert. Where CEL has an error, such as an absent field, it does not. */
export function evaluateCondition(condition: Condition, event: FalcoEvent): boolean {
  let view = views.get(event);
  if (view === undefined) {
    view = new ConditionEvent(event);
    views.set(event, view);
  }
  try {
    return condition.run({ event: view }) === true;
  } catch {
    return false;
  }
}

/** The vocabulary with a `matches` that looks its patterns up here: they are compiled once, with the condition. */
function environmentWith(patterns: ReadonlyMap<string, RE2JS>): Environment {
  return VOCABULARY.clone().registerFunction(
    `string.${LINEAR_MATCHES}(string): bool`,
    (text: string, pattern: string) => {
      if (text.length > MAX_SEARCHED) throw new Error('too long for `matches`');
      return patterns.get(pattern)?.test(text);
    },
  );
}

/** Compiles the patterns of all calls of `matches` and sends the calls to the linear one. */
function compilePatterns(node: ASTNode, patterns: Map<string, RE2JS>): ConditionFault | undefined {
  if (node.op === 'rcall' && node.args[0] === 'matches') {
    const pattern = node.args[2][0];
    if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
      return faultAt('a pattern is a text', pattern ?? node);
    try {
      patterns.set(pattern.args, RE2JS.compile(pattern.args));
    } catch (error) {
      return faultAt(`not a pattern of RE2: ${error instanceof Error ? error.message : String(error)}`, pattern);
    }
    node.args[0] = LINEAR_MATCHES;
  }
  for (const child of childrenOf(node)) {
    const childFault = compilePatterns(child, patterns);
    if (childFault) return childFault;
  }
  return undefined;
}

function checkTypes(text: string, parsed: ParseResult): { ok: true; condition: Condition } | ConditionFault {
  const { valid, type, error } = parsed.check();
  if (!valid) return libraryFault(text, error);
  if (type !== 'bool' && type !== 'dyn') return fault(`a condition is true or false, this is ${type}`, 0, text.length);
  return { ok: true, condition: { text, ast: parsed.ast, run: parsed } };
}

function faultAt(message: string, node: ASTNode): ConditionFault {
  return fault(message, node.start, node.end - node.start);
}

function fault(message: string, offset: number, length: number): ConditionFault {
  return { ok: false, message, offset, length };
}

/** What the library throws: an error with a summary and a range, or whatever a stack that overflowed gives. */
function libraryFault(text: string, error: unknown): ConditionFault {
  const { summary, range } = (error ?? {}) as { summary?: unknown; range?: { start: number; end: number } };
  if (typeof summary !== 'string') return fault('the expression is too complex', 0, text.length);
  const message = summary.charAt(0).toLowerCase() + summary.slice(1).replaceAll(LINEAR_MATCHES, 'matches');
  return range ? fault(message, range.start, range.end - range.start) : fault(message, 0, text.length);
}

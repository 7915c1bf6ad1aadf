import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { ConditionEvent } from './condition-event.ts';
import { ConditionProgram, LINEAR_MATCHES } from './condition-program.ts';
import { checkVocabulary, type VocabularyFault } from './condition-vocabulary.ts';
import type { FalcoEvent } from './falco-event.ts';

/** UTF-16 units of an expression. */
const MAX_LENGTH = 32_768;

/** An expression that has been parsed and type-checked. */
export interface Condition {
  readonly text: string;
  /** For the compiler of the policy module. A call of `matches` has the name `matchesInLinearTime` in it. */
  readonly ast: ASTNode;
  readonly program: ConditionProgram;
}

/** A place in the expression, in UTF-16 units. */
export interface ConditionFault {
  readonly ok: false;
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

const views = new WeakMap<FalcoEvent, ConditionEvent>();

/**
 * Parses and type-checks a CEL expression over the variable `event`. Comparisons follow the CEL specification: values of
 * different types are unequal, ints and doubles compare by value, an absent field is an error. `matches` takes RE2
 * patterns, and time in proportion to the text. What an evaluation costs is bounded, whatever an alert says: a text of more
 * than 65,536 UTF-16 units is an error for `matches`, and so are more than 10,000 elements for the macros together. Sizes of
 * expressions are limited, so that none overflows the stack.
 */
export function parseCondition(text: string): { readonly ok: true; readonly condition: Condition } | ConditionFault {
  const program = new ConditionProgram(text);
  const parsed = parseBoolean(program, text, 'a condition');
  return 'ok' in parsed ? parsed : { ok: true, condition: { text, ast: parsed.ast, program } };
}

/**
 * Parses an expression and checks what all expressions have in common, whatever their variables are.
 *
 * @param what the expression is called in messages
 */
export function parseBoolean(program: ConditionProgram, text: string, what: string): ParseResult | ConditionFault {
  if (text.length > MAX_LENGTH) return fault(`the expression is longer than ${MAX_LENGTH} characters`, 0, text.length);
  try {
    const parsed = program.parse();
    const objection = checkVocabulary(parsed.ast) ?? program.compilePatterns(parsed.ast);
    return objection ? faultOf(objection) : (checkTypes(text, parsed, what) ?? parsed);
  } catch (error) {
    return libraryFault(text, error);
  }
}

/** An objection with its place. */
export function faultOf({ message, node }: VocabularyFault): ConditionFault {
  return fault(message, node.start, node.end - node.start);
}

/** Whether a condition holds for an alert. Where CEL has an error, such as an absent field, it does not. */
export function evaluateCondition(condition: Condition, event: FalcoEvent): boolean {
  let view = views.get(event);
  if (view === undefined) {
    view = new ConditionEvent(event);
    views.set(event, view);
  }
  try {
    return condition.program.run({ event: view }) === true;
  } catch {
    return false;
  }
}

function checkTypes(text: string, parsed: ParseResult, what: string): ConditionFault | undefined {
  const { valid, type, error } = parsed.check();
  if (!valid) return libraryFault(text, error);
  if (type === 'bool' || type === 'dyn') return undefined;
  return fault(`${what} is true or false, this is ${type}`, 0, text.length);
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

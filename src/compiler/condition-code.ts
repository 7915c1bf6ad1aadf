import type { Search, Test } from './condition-test.ts';
import * as layout from './core/layout.ts';
import type { LoweredCondition } from './lower-condition.ts';
import type { PlacedText } from './segment.ts';
import { leb } from './splice.ts';

/** What the code of conditions needs to know of the module that it will be part of. */
export interface CodeTargets {
  /** Index of a function that the core exports. */
  functionIndex(name: string): number;
  /** Places a text that conditions search for in the tables. */
  text(text: string): PlacedText;
}

// Opcodes of WebAssembly, by the names of the specification.
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const I32_CONST = 0x41;
const F64_CONST = 0x44;
const I32_NE = 0x47;
const I32_LT_U = 0x49;
const I32_AND = 0x71;
const I32_OR = 0x72;
const TYPE_I32 = 0x7f;

const SEARCHES: Readonly<Record<Search, string>> = {
  starts: 'talon_test_starts',
  ends: 'talon_test_ends',
  contains: 'talon_test_contains',
};

/**
 * The body of `talon_condition`: a tree of branches on the number of the condition, and for each condition the calls of the
 * core's functions that decide it. Undefined when there are none, for which the body of the core will do.
 */
export function conditionBody(conditions: readonly LoweredCondition[], targets: CodeTargets): Uint8Array | undefined {
  if (conditions.length === 0) return undefined;
  const noLocals = 0;
  const code = [noLocals];
  branch(code, conditions, targets);
  code.push(END);
  return Uint8Array.from(code);
}

/** Chooses among conditions by halving them, so that ten thousand need no more than fourteen steps. */
function branch(code: number[], conditions: readonly LoweredCondition[], targets: CodeTargets): void {
  const [only] = conditions;
  const half = conditions.length >> 1;
  const middle = conditions[half];
  if (!only || !middle || half === 0) {
    if (only) pushCondition(code, only, targets);
    return;
  }
  code.push(LOCAL_GET, 0);
  pushInt(code, middle.number);
  code.push(I32_LT_U, IF, TYPE_I32);
  branch(code, conditions.slice(0, half), targets);
  code.push(ELSE);
  branch(code, conditions.slice(half), targets);
  code.push(END);
}

function pushCondition(code: number[], { number, test, needsHost }: LoweredCondition, targets: CodeTargets): void {
  if (test) pushTest(code, test, targets);
  if (!needsHost) return;
  if (test) {
    pushInt(code, layout.TRUTH_TRUE);
    code.push(I32_NE, IF, TYPE_I32);
    pushInt(code, layout.TRUTH_FALSE);
    code.push(ELSE);
  }
  pushInt(code, number);
  pushCall(code, 'talon_test_host', targets);
  if (test) code.push(END);
}

function pushTest(code: number[], test: Test, targets: CodeTargets): void {
  switch (test.kind) {
    case 'constant':
      return pushInt(code, test.value ? layout.TRUTH_TRUE : layout.TRUTH_FALSE);
    case 'present':
    case 'truth':
      pushInt(code, test.slot.address);
      return pushCall(code, test.kind === 'present' ? 'talon_test_present' : 'talon_test_truth', targets);
    case 'fact':
      pushInt(code, test.fact.address);
      return pushCall(code, 'talon_test_fact', targets);
    case 'text':
      pushInt(code, test.slot.address);
      pushInt(code, test.fact.address);
      return pushCall(code, 'talon_test_text', targets);
    case 'word':
      pushInt(code, test.slot.address);
      pushInt(code, test.word);
      return pushCall(code, 'talon_test_kind', targets);
    case 'number':
      pushInt(code, test.slot.address);
      pushInt(code, test.operator);
      code.push(F64_CONST, ...new Uint8Array(new Float64Array([test.number]).buffer));
      return pushCall(code, 'talon_test_number', targets);
    case 'search': {
      const { address, bytes } = targets.text(test.text);
      pushInt(code, test.slot.address);
      pushInt(code, address);
      pushInt(code, bytes.length);
      return pushCall(code, SEARCHES[test.where], targets);
    }
    default:
      return pushCombination(code, test, targets);
  }
}

function pushCombination(
  code: number[],
  test: Extract<Test, { kind: 'not' | 'and' | 'or' | 'choose' }>,
  targets: CodeTargets,
): void {
  switch (test.kind) {
    case 'not':
      pushTest(code, test.operand, targets);
      return pushCall(code, 'talon_test_not', targets);
    case 'choose':
      pushTest(code, test.condition, targets);
      pushTest(code, test.yes, targets);
      pushTest(code, test.no, targets);
      return pushCall(code, 'talon_test_choose', targets);
    default:
      pushTest(code, test.left, targets);
      pushTest(code, test.right, targets);
      code.push(test.kind === 'and' ? I32_AND : I32_OR);
  }
}

function pushInt(code: number[], value: number): void {
  code.push(I32_CONST, ...signedLeb(value));
}

function pushCall(code: number[], name: string, targets: CodeTargets): void {
  code.push(CALL, ...leb(targets.functionIndex(name)));
}

/** Signed LEB128 of a 32-bit integer. */
function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

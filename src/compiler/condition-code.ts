import type { Search, Test } from './condition-test.ts';
import * as layout from './core/layout.ts';
import type { LoweredCondition } from './lower-condition.ts';
import type { PlacedText } from './segment.ts';
import { leb } from './splice.ts';

type Combination = Extract<Test, { kind: 'not' | 'and' | 'or' | 'choose' }>;

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
  const codes = conditions.map((condition) => ({ number: condition.number, code: conditionCode(condition, targets) }));
  return Uint8Array.from([noLocals, ...branch(codes), END]);
}

interface NumberedCode {
  readonly number: number;
  readonly code: readonly number[];
}

/** Chooses among conditions by halving them, so that ten thousand need no more than fourteen steps. */
function branch(conditions: readonly NumberedCode[]): readonly number[] {
  const half = conditions.length >> 1;
  const middle = conditions[half];
  if (!middle) return [];
  if (half === 0) return middle.code;
  return [
    ...[LOCAL_GET, 0, ...int(middle.number), I32_LT_U, IF, TYPE_I32],
    ...branch(conditions.slice(0, half)),
    ELSE,
    ...branch(conditions.slice(half)),
    END,
  ];
}

function conditionCode({ number, test, needsHost }: LoweredCondition, targets: CodeTargets): number[] {
  const decided = test ? testCode(test, targets) : [];
  if (!needsHost) return decided;
  const host = [...int(number), ...call('talon_test_host', targets)];
  if (!test) return host;
  const refused = [...int(layout.TRUTH_TRUE), I32_NE, IF, TYPE_I32, ...int(layout.TRUTH_FALSE)];
  return [...decided, ...refused, ELSE, ...host, END];
}

function testCode(test: Test, targets: CodeTargets): number[] {
  switch (test.kind) {
    case 'constant':
      return int(test.value ? layout.TRUTH_TRUE : layout.TRUTH_FALSE);
    case 'present':
      return [...int(test.slot.address), ...call('talon_test_present', targets)];
    case 'truth':
      return [...int(test.slot.address), ...call('talon_test_truth', targets)];
    case 'fact':
      return [...int(test.fact.address), ...call('talon_test_fact', targets)];
    case 'text':
      return [...int(test.slot.address), ...int(test.fact.address), ...call('talon_test_text', targets)];
    case 'word':
      return [...int(test.slot.address), ...int(test.word), ...call('talon_test_kind', targets)];
    case 'number':
      return [
        ...[...int(test.slot.address), ...int(test.operator), ...double(test.number)],
        ...call('talon_test_number', targets),
      ];
    case 'search': {
      const { address, bytes } = targets.text(test.text);
      const text = [...int(address), ...int(bytes.length)];
      return [...int(test.slot.address), ...text, ...call(SEARCHES[test.where], targets)];
    }
    default:
      return combinationCode(test, targets);
  }
}

function combinationCode(test: Combination, targets: CodeTargets): number[] {
  const code = (part: Test) => testCode(part, targets);
  switch (test.kind) {
    case 'not':
      return [...code(test.operand), ...call('talon_test_not', targets)];
    case 'choose':
      return [...code(test.condition), ...code(test.yes), ...code(test.no), ...call('talon_test_choose', targets)];
    default:
      return [...code(test.left), ...code(test.right), test.kind === 'and' ? I32_AND : I32_OR];
  }
}

function int(value: number): number[] {
  return [I32_CONST, ...signedLeb(value)];
}

function double(value: number): number[] {
  return [F64_CONST, ...new Uint8Array(new Float64Array([value]).buffer)];
}

function call(name: string, targets: CodeTargets): number[] {
  return [CALL, ...leb(targets.functionIndex(name))];
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

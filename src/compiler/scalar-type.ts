import { dateForm } from './date-form.ts';
import type { ScalarNode } from './yaml-node.ts';

export type ScalarType = 'null' | 'bool' | 'int' | 'float' | 'date' | 'string';

/**
 * A scalar with its type. A date is kept as its text; so is a number that no JSON can carry. The value of an integer beyond
 * 2^53 is the nearest double.
 */
export interface TypedScalar {
  readonly type: ScalarType;
  readonly value: string | number | boolean | null;
}

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const BOOLS = new Map([
  ...['true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['false', 'False', 'FALSE'].map((text) => [text, false] as const),
]);

const MAYBE_NUMBER = /^[-+.0-9]/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0(?:[oO][0-7]+|[0-7]*)|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** Integers have 64 bits, with or without a sign. */
const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 64n - 1n;

/** Whether a value where a text is wanted counts as left out. */
export function isNull({ text, plain, tag }: ScalarNode): boolean {
  return NULLS.has(text) && (tag === undefined ? plain : tag === 'null');
}

/**
 * The type of a value inside `parameters`: YAML 1.2's core types, and as in Falco Talon's YAML reader integers with
 * underscores, in binary, octal with a leading zero, and dates.
 */
export function scalarType({ text, plain, tag }: ScalarNode): TypedScalar {
  switch (tag) {
    case undefined:
      return plain ? plainType(text) : { type: 'string', value: text };
    case 'null':
      return { type: 'null', value: null };
    case 'float': {
      const typed = plainType(text);
      return typed.type === 'int' ? { ...typed, type: 'float' } : typed;
    }
    case 'bool':
    case 'int':
    case 'timestamp':
      return plainType(text);
    default:
      return { type: 'string', value: text };
  }
}

/** Whether the value is of the type that its explicit tag names. */
export function fitsTag(node: ScalarNode): boolean {
  const wanted = node.tag === 'timestamp' ? 'date' : node.tag;
  if (wanted === 'null') return NULLS.has(node.text);
  if (wanted !== 'bool' && wanted !== 'int' && wanted !== 'float' && wanted !== 'date') return true;
  return scalarType(node).type === wanted;
}

function plainType(text: string): TypedScalar {
  if (NULLS.has(text)) return { type: 'null', value: null };
  const bool = BOOLS.get(text);
  if (bool !== undefined) return { type: 'bool', value: bool };
  if (!MAYBE_NUMBER.test(text)) return { type: 'string', value: text };
  if (dateForm(text) !== undefined) return { type: 'date', value: text };
  if (NOT_FINITE.test(text)) return { type: 'float', value: text };
  return numberType(text) ?? { type: 'string', value: text };
}

function numberType(text: string): TypedScalar | undefined {
  // A leading point leaves no room for underscores to the reader of Falco Talon.
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  const integer = INTEGER.test(digits) ? integerValue(digits) : undefined;
  if (integer !== undefined) return { type: 'int', value: integer };
  // What no double can hold is a text to Falco Talon's reader as well.
  const value = Number(digits);
  return FLOAT.test(digits) && Number.isFinite(value) ? { type: 'float', value } : undefined;
}

/** Undefined beyond 64 bits. */
function integerValue(digits: string): number | undefined {
  const unsigned = digits.replace(/^[-+]/, '');
  const octal = /^0[0-7]+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned;
  const value = digits.startsWith('-') ? -Number(octal) + 0 : Number(octal);
  if (Number.isSafeInteger(value)) return value;
  const exact = digits.startsWith('-') ? -BigInt(octal) : BigInt(octal);
  return exact >= SMALLEST && exact <= LARGEST ? value : undefined;
}

import { JsonNumber } from '../model/json-value.ts';
import { goNumber, plainNumber } from '../model/text-form.ts';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** Whether some number of an alert may be spelled like this. */
export function isNumberText(text: string): boolean {
  return JSON_NUMBER.test(text);
}

/** The double that has a text as one of its forms, and which ones. */
export interface NumberForms {
  /** IEEE 754 bits. */
  readonly bits: bigint;
  /** The text is the double without an exponent. */
  readonly plain: boolean;
  /** The text is the double as Go's `%v` prints it. */
  readonly go: boolean;
}

/**
 * The one double of which a text is the plain or Go's form; undefined if there is none, as for `1.0` or `0x1`. Integers of an
 * alert that are longer than 15 digits do not count by this, but by their digits.
 */
export function numberForms(text: string): NumberForms | undefined {
  if (!isNumberText(text)) return undefined;
  const double = Number(text);
  if (!Number.isFinite(double)) return undefined;
  const plain = plainNumber(new JsonNumber(spelledWithExponent(double))) === text;
  const go = goNumber(double) === text;
  return plain || go ? { bits: bitsOf(double), plain, go } : undefined;
}

/** A spelling of the double that is no integer literal, so that its plain form is that of the double. */
function spelledWithExponent(double: number): string {
  return Object.is(double, -0) ? '-0e0' : double.toExponential();
}

function bitsOf(double: number): bigint {
  return new BigUint64Array(new Float64Array([double]).buffer)[0] ?? 0n;
}

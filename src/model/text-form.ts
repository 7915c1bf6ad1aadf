import { JsonNumber, type JsonValue } from './json-value.ts';

/**
 * The texts that a value of an alert counts as when `output_fields` compares it: one or two of them, and `=` holds when
 * any is equal. Numbers have a plain form and the form in which Falco Talon prints a double (`1e+06`), since rules in use
 * were written against either. In lists (`[a 1]`) and objects (`map[k:v]`, keys in byte order) all numbers are plain, or
 * all of them Talon's. Null is `<nil>`.
 */
export function textForms(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  const plain = render(value, plainNumber);
  const go = render(value, goText);
  return plain === go ? [plain] : [plain, go];
}

/**
 * A number without an exponent: the digits of an integer as written, whatever its length; for any other spelling the
 * shortest decimals of its double (`1.0` is `1`, `1e-05` is `0.00001`). Beyond the range of a double: as written.
 */
export function plainNumber(number: JsonNumber): string {
  if (isInteger(number)) return number.text;
  const double = Number(number.text);
  return Number.isFinite(double) ? decimals(double) : number.text;
}

/** Whether the number is spelled without fraction and exponent. */
export function isInteger(number: JsonNumber): boolean {
  return !/[.eE]/.test(number.text);
}

/**
 * A finite double as Go's `%v` prints it, which is what Falco Talon compares: the shortest digits, and from 1000000 up and
 * below 0.0001 an exponent with a sign and at least two digits (`1e+06`, `1e-05`).
 */
export function goNumber(double: number): string {
  const { sign, digits, exponent } = shortest(double);
  if (exponent >= -4 && exponent < 6) return decimals(double);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
}

function goText(number: JsonNumber): string {
  const double = Number(number.text);
  return Number.isFinite(double) ? goNumber(double) : number.text;
}

/** The shortest decimals that read back as this finite double, without an exponent. */
function decimals(double: number): string {
  const { sign, digits, exponent } = shortest(double);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return `${sign}${whole}${fraction && `.${fraction}`}`;
}

/** Shortest digits `d.ddd` times ten to the exponent. Zero keeps its sign. */
function shortest(double: number): { sign: string; digits: string; exponent: number } {
  const [mantissa = '', exponent] = Math.abs(double).toExponential().split('e');
  const sign = double < 0 || Object.is(double, -0) ? '-' : '';
  return { sign, digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

/** Iterative, because an alert may nest as deep as the stack of a recursion does not reach. */
function render(value: JsonValue, number: (value: JsonNumber) => string): string {
  const parts: string[] = [];
  const pending: JsonValue[] = [value];
  while (pending.length > 0) {
    const next = pending.pop() as JsonValue;
    if (typeof next === 'string') parts.push(next);
    else if (next === null) parts.push('<nil>');
    else if (typeof next === 'boolean') parts.push(String(next));
    else if (next instanceof JsonNumber) parts.push(number(next));
    else pushReversed(pending, containerPieces(next));
  }
  return parts.join('');
}

function containerPieces(value: readonly JsonValue[] | ReadonlyMap<string, JsonValue>): JsonValue[] {
  if (!(value instanceof Map)) return ['[', ...separated((value as readonly JsonValue[]).map((item) => [item])), ']'];
  const entries = [...(value as ReadonlyMap<string, JsonValue>)].sort(([a], [b]) => compareBytes(a, b));
  return ['map[', ...separated(entries.map(([key, item]) => [key, ':', item])), ']'];
}

function separated(groups: readonly JsonValue[][]): JsonValue[] {
  return groups.flatMap((group, index) => (index === 0 ? group : [' ', ...group]));
}

function pushReversed(pending: JsonValue[], pieces: readonly JsonValue[]): void {
  for (let index = pieces.length - 1; index >= 0; index--) pending.push(pieces[index] as JsonValue);
}

/** Order of the UTF-8 bytes of two texts, which is that of their code points. */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = a.charCodeAt(index) - b.charCodeAt(index);
    if (difference !== 0) return (a.codePointAt(index) as number) - (b.codePointAt(index) as number);
  }
  return a.length - b.length;
}

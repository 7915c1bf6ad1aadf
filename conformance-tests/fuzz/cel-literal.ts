import { celNumber } from '../../src/model/condition-event.ts';
import { JsonNumber, type JsonValue } from '../../src/model/json-value.ts';

/** A string literal of CEL. JSON's escapes are CEL's too. */
export function celString(text: string): string {
  return JSON.stringify(text);
}

/** An expression of CEL that equals this value of an alert. */
export function celLiteral(value: JsonValue): string {
  if (typeof value === 'string') return celString(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) return numberLiteral(celNumber(value));
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, JsonValue>)];
    return `{${entries.map(([key, item]) => `${celString(key)}: ${celLiteral(item)}`).join(', ')}}`;
  }
  return `[${(value as readonly JsonValue[]).map(celLiteral).join(', ')}]`;
}

/** A literal for a number; the next one for the least int and for an infinity, which have none. */
export function numberLiteral(number: bigint | number): string {
  if (typeof number === 'bigint') return String(number < -9223372036854775807n ? -9223372036854775807n : number);
  return Number.isFinite(number)
    ? number.toExponential().replace(/^(-?\d+)e/, '$1.0e')
    : number > 0
      ? '1.7e308'
      : '-1.7e308';
}

import { JsonNumber, type JsonValue } from './json-value.ts';
import { compareBytes } from './text-form.ts';

/** How texts are written: the whole JSON string with its quotes. */
export type QuoteText = (text: string) => string;

/**
 * A value as compact JSON: the keys of objects in the order of their bytes, numbers as they were spelled. Iterative,
 * because an alert may nest deeper than the stack reaches.
 */
export function jsonText(value: JsonValue, quote: QuoteText = JSON.stringify): string {
  const parts: string[] = [];
  // Texts that are already JSON wait beside values that are not, so they are marked.
  const pending: (Raw | JsonValue)[] = [value];
  while (pending.length > 0) {
    const next = pending.pop() as Raw | JsonValue;
    if (next instanceof Raw) parts.push(next.text);
    else if (typeof next === 'string') parts.push(quote(next));
    else if (next === null || typeof next === 'boolean') parts.push(String(next));
    else if (next instanceof JsonNumber) parts.push(next.text);
    else pushReversed(pending, containerPieces(next, quote));
  }
  return parts.join('');
}

/** In a loop: a list may be longer than the arguments that a call takes. */
function pushReversed(pending: (Raw | JsonValue)[], pieces: readonly (Raw | JsonValue)[]): void {
  for (let index = pieces.length - 1; index >= 0; index--) pending.push(pieces[index] as Raw | JsonValue);
}

class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function containerPieces(
  value: readonly JsonValue[] | ReadonlyMap<string, JsonValue>,
  quote: QuoteText,
): (Raw | JsonValue)[] {
  const pieces: (Raw | JsonValue)[] = [];
  if (value instanceof Map) {
    for (const [key, item] of [...value].sort(([a], [b]) => compareBytes(a, b))) {
      pieces.push(new Raw(`${pieces.length === 0 ? '{' : ','}${quote(key)}:`), item);
    }
    pieces.push(new Raw(pieces.length === 0 ? '{}' : '}'));
    return pieces;
  }
  for (const item of value as readonly JsonValue[]) pieces.push(new Raw(pieces.length === 0 ? '[' : ','), item);
  pieces.push(new Raw(pieces.length === 0 ? '[]' : ']'));
  return pieces;
}

/**
 * A JSON string as Go's encoder writes it by default: what HTML or a script could take for its own (`<`, `>`, `&`, the
 * line separators) is escaped as well.
 */
export function goJsonString(text: string): string {
  return goJson(text);
}

/** Any plain value as JSON in that spelling; the keys of objects stay in their order. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, hexEscape);
}

function hexEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

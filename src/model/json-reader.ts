import type { EventErrorCode } from './falco-event.ts';
import { JsonNumber, type JsonValue } from './json-value.ts';

/** Why reading stopped, and the index in the text where that was noticed. Caught by the caller of the reader. */
export class JsonFault extends Error {
  readonly code: EventErrorCode;
  readonly index: number;
  constructor(code: EventErrorCode, index: number) {
    super(`fault ${code} at ${index}`);
    this.code = code;
    this.index = index;
  }
}

/** Containers that may be open at once, the outermost one included; Go's JSON decoder has the same limit. */
export const MAX_DEPTH = 10_000;

/** A value of JSON whose containers are new and belong to the caller. */
export type ReadValue = string | boolean | null | JsonNumber | JsonValue[] | Map<string, JsonValue>;

type OpenContainer = JsonValue[] | { readonly entries: Map<string, JsonValue>; key: string };

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Reads JSON (RFC 8259) piece by piece from a text. Numbers keep their spelling, the last of equal keys wins, an escape
 * that names a lone surrogate is U+FFFD. Throws {@link JsonFault}.
 */
export class JsonReader {
  readonly text: string;
  /** Index of the next character. */
  index = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Skips white space and says which character follows; an empty text at the end. */
  peek(): string {
    let at = this.index;
    while (isSpace(this.text.charCodeAt(at))) at += 1;
    this.index = at;
    return this.text.charAt(at);
  }

  /** Takes one character, which must be this one. */
  expect(character: string): void {
    if (this.peek() !== character) this.fail(1);
    this.index += 1;
  }

  /** Takes one character if it is this one. */
  accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.index += 1;
    return true;
  }

  fail(code: EventErrorCode, index = this.index): never {
    throw new JsonFault(code, index);
  }

  /** Reads a key of an object and the colon after it. */
  key(): string {
    if (this.peek() !== '"') this.fail(1);
    const key = this.string();
    this.expect(':');
    return key;
  }

  /**
   * Reads a value of any kind, without recursion: nesting of any depth costs no stack.
   * @param depth containers that are open already
   */
  value(depth: number): ReadValue {
    const open: OpenContainer[] = [];
    for (;;) {
      let value = this.#beginValue(open, depth);
      if (value === undefined) continue;
      for (;;) {
        const parent = open.at(-1);
        if (parent === undefined) return value;
        if (this.#addTo(parent, value)) break;
        open.pop();
        value = Array.isArray(parent) ? parent : parent.entries;
      }
    }
  }

  /** A scalar or an empty container; undefined when a container with contents was opened. */
  #beginValue(open: OpenContainer[], depth: number): ReadValue | undefined {
    const first = this.peek();
    if (first !== '{' && first !== '[') return this.#scalar(first);
    if (depth + open.length >= MAX_DEPTH) this.fail(3);
    this.index += 1;
    if (first === '[') {
      if (this.accept(']')) return [];
      open.push([]);
    } else {
      if (this.accept('}')) return new Map();
      open.push({ entries: new Map(), key: this.key() });
    }
    return undefined;
  }

  /** Adds a value to its container. Whether another value follows; if not, the container is closed. */
  #addTo(container: OpenContainer, value: JsonValue): boolean {
    if (Array.isArray(container)) {
      container.push(value);
      if (this.accept(',')) return true;
      this.expect(']');
      return false;
    }
    container.entries.set(container.key, value);
    if (this.accept(',')) {
      container.key = this.key();
      return true;
    }
    this.expect('}');
    return false;
  }

  #scalar(first: string): ReadValue {
    switch (first) {
      case '"':
        return this.string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.index)) this.fail(1);
    this.index += word.length;
    return value;
  }

  #number(): JsonNumber {
    const start = this.index;
    if (this.text.charAt(this.index) === '-') this.index += 1;
    if (this.text.charAt(this.index) === '0') {
      this.index += 1;
      if (isDigit(this.text.charCodeAt(this.index))) this.fail(1);
    } else this.#digits();
    if (this.text.charAt(this.index) === '.') {
      this.index += 1;
      this.#digits();
    }
    const exponent = this.text.charAt(this.index);
    if (exponent === 'e' || exponent === 'E') {
      this.index += 1;
      const sign = this.text.charAt(this.index);
      if (sign === '+' || sign === '-') this.index += 1;
      this.#digits();
    }
    return new JsonNumber(this.text.slice(start, this.index));
  }

  #digits(): void {
    let at = this.index;
    if (!isDigit(this.text.charCodeAt(at))) this.fail(1);
    while (isDigit(this.text.charCodeAt(at))) at += 1;
    this.index = at;
  }

  /** Reads a string; the next character is its opening quote. */
  string(): string {
    let start = this.index + 1;
    let at = start;
    let decoded = '';
    const text = this.text;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.index = at + 1;
        return decoded === '' ? text.slice(start, at) : decoded + text.slice(start, at);
      }
      if (code === 0x5c) {
        this.index = at;
        decoded += text.slice(start, at) + this.#escape();
        start = at = this.index;
      } else if (code >= 0x20) at += 1;
      else this.fail(1, at); // a control character, or NaN at the end of the text
    }
  }

  #escape(): string {
    const letter = this.text.charAt(this.index + 1);
    const plain = ESCAPES[letter];
    if (plain !== undefined) {
      this.index += 2;
      return plain;
    }
    if (letter !== 'u') this.fail(1, this.index + 1);
    this.index += 2;
    const unit = this.#hexUnit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit > 0xdbff || !this.text.startsWith('\\u', this.index)) return '\ufffd';
    const start = this.index;
    this.index += 2;
    const low = this.#hexUnit();
    if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
    this.index = start;
    return '\ufffd';
  }

  #hexUnit(): number {
    const hex = this.text.slice(this.index, this.index + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail(1);
    this.index += 4;
    return Number.parseInt(hex, 16);
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

import { flowNode, scalarNode } from './plain-flow.ts';
import type { Source } from './source.ts';
import type { ListNode, MapEntry, MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

/** Nesting that is left to the full reader, which says where it is too deep. */
const MAX_DEPTH = 30;

/**
 * Reads the plain part of YAML that rules are mostly written in, about twenty times as fast as the full reader: block lists
 * and maps, scalars on one line, flow collections on one line, comments. All else (block scalars, values over several
 * lines, escapes, anchors, tags, tabs, whatever is malformed) is left to the full reader: `undefined` means "not mine".
 * What both can read, both read alike; tests hold them together.
 *
 * @param at where an item of the root list stands (its dash, in the first column)
 * @returns the item, and the offset of the next line in the first column, or of the end
 */
export function plainItem(source: Source, at: number): { readonly node: YamlNode; readonly next: number } | undefined {
  const reader = new PlainReader(source);
  reader.at = at + 1;
  const node = reader.afterIndicator(0, 1, false);
  return node && reader.column <= 0 ? { node, next: reader.at } : undefined;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const HASH = 35;
const DASH = 45;
const COLON = 58;

/**
 * Reads at `at`, which after each value is at the first significant character of a later line, with its column. Methods
 * return undefined, with the position undefined as well, for what is not plain.
 */
class PlainReader {
  readonly source: Source;
  readonly text: string;
  at = 0;
  /** Of the character at `at`; -1 at the end of the text. */
  column = 0;

  constructor(source: Source) {
    this.source = source;
    this.text = source.text;
  }

  /**
   * The value after a dash or after the colon of a key.
   *
   * @param parent column of the list or map that the value is in; the value stands further right
   * @param listAllowed whether a list may start in the parent's own column, as the value of a key may
   */
  afterIndicator(parent: number, depth: number, listAllowed: boolean): YamlNode | undefined {
    if (depth > MAX_DEPTH || !this.#atGap()) return undefined;
    const dashLine = !listAllowed;
    this.#skipSpaces();
    const emptyAt = this.at;
    if (!this.#atLineEnd()) return dashLine ? this.#onDashLine(depth) : this.#inline(parent);
    if (!this.nextLine()) return undefined;
    const indented = this.column > parent || (listAllowed && this.column === parent && this.#atDash());
    return indented ? this.#block(depth) : this.#scalar(emptyAt, emptyAt, '', true);
  }

  /** What stands behind a dash in the same line: a nested list or map has the column of its first character. */
  #onDashLine(depth: number): YamlNode | undefined {
    this.column = this.at - (this.text.lastIndexOf('\n', this.at) + 1);
    return this.#block(depth);
  }

  /** A list, a map or a value in one line, at the current column. */
  #block(depth: number): YamlNode | undefined {
    if (this.#atDash()) return this.#list(depth);
    return this.#keyEnd() >= 0 ? this.#map(depth) : this.#inline(this.column - 1);
  }

  #list(depth: number): ListNode | undefined {
    const { at: start, column } = this;
    const items: YamlNode[] = [];
    while (this.column === column && this.#atDash()) {
      this.at++;
      const item = this.afterIndicator(column, depth + 1, false);
      if (!item || this.column > column) return undefined;
      items.push(item);
    }
    return { kind: 'list', source: this.source, start, end: items.at(-1)?.end ?? start, items };
  }

  #map(depth: number): MapNode | undefined {
    const { at: start, column } = this;
    const entries = new Map<string, MapEntry>();
    let end = start;
    while (this.column === column && !this.#atDash()) {
      const keyEnd = this.#keyEnd();
      const name = this.text.slice(this.at, keyEnd);
      if (keyEnd < 0 || entries.has(name)) return undefined;
      const key = this.#scalar(this.at, keyEnd, name, true);
      this.at = keyEnd + 1;
      const value = this.afterIndicator(column, depth + 1, true);
      if (!value || this.column > column) return undefined;
      entries.set(name, { key, value });
      end = value.end;
    }
    return { kind: 'map', source: this.source, start, end, entries };
  }

  /** The end of a key at the current position: letters, digits and a few signs, then a colon and a gap. Else -1. */
  #keyEnd(): number {
    const { text } = this;
    let end = this.at;
    while (isKeyCharacter(text.charCodeAt(end))) end++;
    if (end === this.at || text.charCodeAt(end) !== COLON) return -1;
    const next = text.charCodeAt(end + 1);
    return next === SPACE || next === LF || next === CR || end + 1 === text.length ? end : -1;
  }

  /** A value that ends in its line. Where the next line stands further right than the parent, it would go on there. */
  #inline(parent: number): YamlNode | undefined {
    const node = this.#inlineNode();
    if (!node) return undefined;
    this.at = node.end;
    this.#skipSpaces();
    if (!this.#atLineEnd() || (this.text.charCodeAt(this.at) === HASH && this.at === node.end)) return undefined;
    return this.nextLine() && this.column <= parent ? node : undefined;
  }

  #inlineNode(): YamlNode | undefined {
    const first = this.text[this.at];
    if (first === '[' || first === '{') return flowNode(this.source, this.at);
    return scalarNode(this.source, this.at, 'block');
  }

  /** Goes to the next line with more than a comment. False for a line that is not plain. */
  nextLine(): boolean {
    const { text } = this;
    for (;;) {
      const lineEnd = text.indexOf('\n', this.at);
      if (lineEnd < 0) {
        this.at = text.length;
        this.column = -1;
        return true;
      }
      this.at = lineEnd + 1;
      this.#skipSpaces();
      this.column = this.at - lineEnd - 1;
      if (this.at >= text.length) continue;
      if (!this.#atLineEnd()) return text.charCodeAt(this.at) > SPACE;
    }
  }

  #atDash(): boolean {
    if (this.text.charCodeAt(this.at) !== DASH) return false;
    const next = this.text.charCodeAt(this.at + 1);
    return next === SPACE || next === LF || next === CR || this.at + 1 === this.text.length;
  }

  /** Behind a dash or a colon comes a space or the end of the line. */
  #atGap(): boolean {
    return this.text.charCodeAt(this.at) === SPACE || this.#atLineEnd();
  }

  #skipSpaces(): void {
    while (this.text.charCodeAt(this.at) === SPACE) this.at++;
  }

  /** At the end of the text or the line, or at a comment up to it. */
  #atLineEnd(): boolean {
    const code = this.text.charCodeAt(this.at);
    if (code === CR) return this.text.charCodeAt(this.at + 1) === LF;
    return code === LF || code === HASH || this.at >= this.text.length;
  }

  #scalar(start: number, end: number, text: string, plain: boolean): ScalarNode {
    return { kind: 'scalar', source: this.source, start, end, text, plain };
  }
}

function isKeyCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
}

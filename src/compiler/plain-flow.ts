import type { Source } from './source.ts';
import type { ListNode, MapEntry, MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

const MAX_DEPTH = 30;

/** Where a text stands: in a flow collection commas and brackets end it as well. */
export type PlainContext = 'block' | 'flow';

/** A list `[a, b]` or a map `{a: b}` that ends in its line, without empty members; undefined for others. */
export function flowNode(source: Source, at: number, depth = 0): YamlNode | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const first = source.text[at];
  if (first === '[') return flowList(source, at, depth);
  if (first === '{') return flowMap(source, at, depth);
  return scalarNode(source, at, 'flow');
}

function flowList(source: Source, start: number, depth: number): ListNode | undefined {
  const items: YamlNode[] = [];
  let at = skipSpaces(source.text, start + 1);
  while (source.text[at] !== ']') {
    const item = flowNode(source, at, depth + 1);
    const next = item && afterMember(source.text, item.end, ']');
    if (!item || next === undefined) return undefined;
    items.push(item);
    at = next;
  }
  return { kind: 'list', source, start, end: at + 1, items };
}

function flowMap(source: Source, start: number, depth: number): MapNode | undefined {
  const entries = new Map<string, MapEntry>();
  let at = skipSpaces(source.text, start + 1);
  while (source.text[at] !== '}') {
    const key = scalarNode(source, at, 'flow');
    if (!key || entries.has(key.text) || key.text === '<<') return undefined;
    // As in JSON, a value may follow the colon at once if the key has quotes.
    if (!source.text.startsWith(key.plain ? ': ' : ':', key.end)) return undefined;
    const value = flowNode(source, skipSpaces(source.text, key.end + 1), depth + 1);
    const next = value && afterMember(source.text, value.end, '}');
    if (!value || next === undefined) return undefined;
    entries.set(key.text, { key, value });
    at = next;
  }
  return { kind: 'map', source, start, end: at + 1, entries };
}

/** The offset of the next member, or of the closing bracket. A comma before that bracket is left to the full reader. */
function afterMember(text: string, end: number, close: string): number | undefined {
  const at = skipSpaces(text, end);
  if (text[at] === close) return at;
  if (text[at] !== ',') return undefined;
  const next = skipSpaces(text, at + 1);
  return text[next] === close ? undefined : next;
}

function skipSpaces(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ') at++;
  return at;
}

/** A text that ends in its line, without quotes or with quotes and no escapes; undefined for others. */
export function scalarNode(source: Source, start: number, context: PlainContext): ScalarNode | undefined {
  const first = source.text[start];
  if (first === '"' || first === "'") return quotedNode(source, start, first);
  const end = plainEnd(source.text, start, context);
  return end > start
    ? { kind: 'scalar', source, start, end, text: source.text.slice(start, end), plain: true }
    : undefined;
}

function quotedNode(source: Source, start: number, quote: string): ScalarNode | undefined {
  const { text } = source;
  let end = text.indexOf(quote, start + 1);
  while (quote === "'" && end >= 0 && text[end + 1] === "'") end = text.indexOf(quote, end + 2);
  if (end < 0) return undefined;
  const inner = text.slice(start + 1, end);
  if (quote === '"' ? /[\\\t\n\r]/.test(inner) : /[\t\n\r]/.test(inner)) return undefined;
  const value = quote === "'" ? inner.replaceAll("''", "'") : inner;
  return { kind: 'scalar', source, start, end: end + 1, text: value, plain: false };
}

/** What a character means to a text without quotes, as bits. */
const GAP = 1;
const BRACKET = 2;
const SIGN = 4;
const BOM = 0xfeff;
const MEANINGS = new Uint8Array(128);
for (const [characters, meaning] of [
  [' \t\n\r', GAP],
  [',[]{}', BRACKET | SIGN],
  ['?:#&*!|>\'"%@`', SIGN],
] as const) {
  for (const character of characters) MEANINGS[character.charCodeAt(0)] = meaning;
}

const SPACE = 32;
const HASH = 35;
const DASH = 45;
const COLON = 58;

/** The end of the text counts as a gap. */
function meaning(code: number): number {
  if (code >= MEANINGS.length) return code === BOM ? SIGN : 0;
  return MEANINGS[code] ?? GAP;
}

/** The end of a text without quotes, without the spaces behind it; `start` if there is none. */
function plainEnd(text: string, start: number, context: PlainContext): number {
  const ends = context === 'flow' ? GAP | BRACKET : GAP;
  let end = start;
  if (!startsPlain(text, start, ends)) return end;
  for (let at = start; ; at++) {
    const code = text.charCodeAt(at);
    if (code === SPACE) continue;
    const comment = code === HASH && end < at;
    const key = code === COLON && (meaning(text.charCodeAt(at + 1)) & ends) !== 0;
    if (comment || key || code === BOM || (meaning(code) & ends) !== 0) return end;
    end = at + 1;
  }
}

/** No sign of YAML at the start. A dash may stand there if more than a gap follows. */
function startsPlain(text: string, start: number, ends: number): boolean {
  const first = text.charCodeAt(start);
  if (first === DASH) return (meaning(text.charCodeAt(start + 1)) & ends) === 0;
  return (meaning(first) & (ends | SIGN)) === 0;
}

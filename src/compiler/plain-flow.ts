import type { Source } from './source.ts';
import type { ListNode, MapEntry, MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

const MAX_DEPTH = 30;

/**
 * Texts without quotes: no sign of YAML at the start, then neither a colon that ends a key nor a comment; in flow
 * collections no comma or bracket either.
 */
const PLAIN = {
  block: /(?:[^\s\-?:,[\]{}#&*!|>'"%@`\ufeff]|-(?=\S))(?:[^:#\t\n\r\ufeff]|:(?=\S)|(?<=\S)#)*/y,
  flow: /(?:[^\s\-?:,[\]{}#&*!|>'"%@`\ufeff]|-(?=[^\s,[\]{}]))(?:[^:#,[\]{}\t\n\r\ufeff]|:(?=[^\s,[\]{}])|(?<=\S)#)*/y,
};
const SINGLE_QUOTED = /'(?:[^'\t\n\r]|'')*'/y;
const DOUBLE_QUOTED = /"[^"\\\t\n\r]*"/y;
const SPACES = / */y;

/** A text that ends in its line, without quotes or with quotes and no escapes; undefined for others. */
export function scalarNode(source: Source, start: number, context: keyof typeof PLAIN): ScalarNode | undefined {
  const first = source.text[start];
  if (first === '"' || first === "'") return quotedNode(source, start, first);
  const text = match(PLAIN[context], source.text, start)?.trimEnd();
  return text ? { kind: 'scalar', source, start, end: start + text.length, text, plain: true } : undefined;
}

function quotedNode(source: Source, start: number, quote: string): ScalarNode | undefined {
  const raw = match(quote === "'" ? SINGLE_QUOTED : DOUBLE_QUOTED, source.text, start);
  if (raw === undefined) return undefined;
  const inner = raw.slice(1, -1);
  const text = quote === "'" ? inner.replaceAll("''", "'") : inner;
  return { kind: 'scalar', source, start, end: start + raw.length, text, plain: false };
}

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
    if (next === undefined) return undefined;
    items.push(item as YamlNode);
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
    if (source.text.slice(key.end, key.end + 2) !== ': ') return undefined;
    const value = flowNode(source, skipSpaces(source.text, key.end + 1), depth + 1);
    const next = value && afterMember(source.text, value.end, '}');
    if (next === undefined) return undefined;
    entries.set(key.text, { key, value: value as YamlNode });
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

function skipSpaces(text: string, at: number): number {
  return at + (match(SPACES, text, at)?.length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

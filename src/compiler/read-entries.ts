import { plainItem } from './plain-yaml.ts';
import { readYaml, type YamlText } from './read-yaml.ts';
import type { Source } from './source.ts';
import type { YamlNode } from './yaml-node.ts';

/** UTF-16 units that the full reader is given at once: it needs a hundred times as much memory. */
const MAX_PIECE = 2 * 1024 * 1024;

/**
 * Reads a rules file. Most are a list whose items stand in the first column; those are read one by one, so that the memory
 * that the reader needs is that of one item, and the plain ones fast. Everything else, and every file with a fault in it,
 * goes to the full reader as a whole.
 */
export function readEntries(source: Source): YamlText {
  const items = readItems(source);
  if (items) return { documents: [items], faults: [] };
  if (source.text.length <= MAX_PIECE) return readYaml(source);
  const message = `more than ${MAX_PIECE} characters that are not a plain list of rules`;
  return { documents: [], faults: [{ code: 'T1004', start: 0, end: 0, message, hint: 'split the file' }] };
}

/** The root list, read item by item; undefined where the text as a whole has to be looked at. */
function readItems(source: Source): YamlNode | undefined {
  const { text } = source;
  const start = listStart(text);
  if (start === undefined) return undefined;
  const items: YamlNode[] = [];
  let at = start;
  while (at < text.length) {
    if (!isDash(text, at)) return undefined;
    const read = plainItem(source, at) ?? fullItem(source, at);
    if (!read) return undefined;
    items.push(read.node);
    at = read.next;
  }
  return { kind: 'list', source, start, end: items.at(-1)?.end ?? start, items };
}

/** Lines before the list: comments, blank ones, one mark of a document. */
const PREAMBLE = /(?:(?:[ ]*(?:#[^\n]*)?\r?\n)*---[ ]*\r?\n)?(?:[ ]*(?:#[^\n]*)?\r?\n)*/y;

function listStart(text: string): number | undefined {
  PREAMBLE.lastIndex = 0;
  const at = PREAMBLE.exec(text)?.[0].length ?? 0;
  return isDash(text, at) ? at : undefined;
}

function isDash(text: string, at: number): boolean {
  return text[at] === '-' && (at + 1 === text.length || ' \r\n'.includes(text[at + 1] ?? ''));
}

/** One item by the full reader: up to the next dash in the first column. Items that need others do not pass. */
function fullItem(source: Source, at: number): { node: YamlNode; next: number } | undefined {
  const next = nextItem(source.text, at);
  if (next === undefined || next - at > MAX_PIECE) return undefined;
  const { documents, faults } = readYaml(source, source.text.slice(at, next), at);
  const [root, ...others] = documents;
  if (faults.length > 0 || others.length > 0 || root?.kind !== 'list') return undefined;
  const [node, ...more] = root.items;
  return node && more.length === 0 ? { node, next } : undefined;
}

/** The start of the next line that has a dash in the first column; undefined if anything else but a comment is there. */
function nextItem(text: string, at: number): number | undefined {
  for (let end = text.indexOf('\n', at); end >= 0; end = text.indexOf('\n', end + 1)) {
    const start = end + 1;
    if (isDash(text, start)) return start;
    if (start < text.length && !' \r\n#'.includes(text[start] ?? '')) return undefined;
  }
  return text.length;
}

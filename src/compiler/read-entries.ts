import type { YamlFault } from './compose-yaml.ts';
import { plainItem } from './plain-yaml.ts';
import { readYaml, type YamlText } from './read-yaml.ts';
import type { Source } from './source.ts';
import type { YamlNode } from './yaml-node.ts';

/** UTF-16 units that the full reader is given at once: it needs a hundred times as much memory. */
const MAX_PIECE = 2 * 1024 * 1024;
/** What the full reader is given at least, if there is so much: starting it costs as much as some hundred characters. */
const MIN_PIECE = 16 * 1024;

/** Faults in one file; a file with so many is of another kind, or has one fault with many consequences. */
const MAX_FAULTS = 20;

/**
 * Reads a rules file. Most are a list whose items stand in the first column; those are read in pieces, so that the reader
 * needs no more memory than one piece does, and plain ones fast. What is no such list, or has anchors in one piece and
 * their aliases in another, goes to the full reader as a whole.
 */
export function readEntries(source: Source): YamlText {
  const { length } = source.text;
  return (
    readItems(source) ?? (length <= MAX_PIECE ? readYaml(source) : tooLarge(0, 'this file, which is no plain list,'))
  );
}

function readItems(source: Source): YamlText | undefined {
  const { text } = source;
  const start = listStart(text);
  if (!isDash(text, start)) return undefined;
  const items: YamlNode[] = [];
  const faults: YamlFault[] = [];
  for (let at = start; at < text.length && faults.length < MAX_FAULTS; ) {
    const piece = isDash(text, at) ? (plainPiece(source, at) ?? fullPiece(source, at)) : undefined;
    if (!piece) return undefined;
    items.push(...piece.items);
    faults.push(...piece.faults);
    at = piece.next;
  }
  const root: YamlNode = { kind: 'list', source, start, end: items.at(-1)?.end ?? start, items };
  return faults.length > 0 ? { documents: [], faults } : { documents: [root], faults };
}

interface Piece extends Pick<YamlText, 'faults'> {
  readonly items: readonly YamlNode[];
  /** Where the next item starts. */
  readonly next: number;
}

function plainPiece(source: Source, at: number): Piece | undefined {
  const item = plainItem(source, at);
  return item && { items: [item.node], faults: [], next: item.next };
}

/** Reads one or more items with the full reader. Undefined where the text as a whole has to be looked at. */
function fullPiece(source: Source, at: number): Piece | undefined {
  const next = pieceEnd(source.text, at);
  if (next === undefined) return undefined;
  if (next - at > MAX_PIECE) return { items: [], next, ...tooLarge(at, 'this entry') };
  const { documents, faults } = readYaml(source, source.text.slice(at, next), at);
  const [root, ...others] = documents;
  // A quoted text may go on in lines that look like items, an alias may have its anchor in another piece.
  const wide = others.length > 0 || (faults.length > 0 && source.text.length <= MAX_PIECE);
  if (wide || faults.some(({ code }) => code === 'T1103') || (faults.length === 0 && root?.kind !== 'list'))
    return undefined;
  return { items: root?.kind === 'list' ? root.items : [], faults, next };
}

/** The start of an item some way behind `at`. Undefined if anything but items and comments stands in the first column. */
function pieceEnd(text: string, at: number): number | undefined {
  for (let end = text.indexOf('\n', at); end >= 0; end = text.indexOf('\n', end + 1)) {
    const start = end + 1;
    if (isDash(text, start)) {
      if (start - at >= MIN_PIECE) return start;
    } else if (start < text.length && !' \r\n#'.includes(text[start] ?? '')) {
      return undefined;
    }
  }
  return text.length;
}

/** Where the list may start: behind comments, blank lines and one mark of a document. */
function listStart(text: string): number {
  let marks = 0;
  for (let start = 0; start < text.length; start = text.indexOf('\n', start) + 1) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end).trimEnd();
    if (line === '---') marks++;
    if (end < 0 || marks > 1 || !/^(?:---$| *(?:#|$))/.test(line)) return start;
  }
  return text.length;
}

function isDash(text: string, at: number): boolean {
  return text[at] === '-' && (at + 1 === text.length || ' \r\n'.includes(text[at + 1] ?? ''));
}

function tooLarge(at: number, what: string): YamlText {
  const message = `${what} has more than ${MAX_PIECE} characters`;
  return { documents: [], faults: [{ code: 'T1004', start: at, end: at, message }] };
}

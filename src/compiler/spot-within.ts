import type { Spot } from './source.ts';
import type { ScalarNode } from './yaml-node.ts';

/**
 * The place in the file of a part of a scalar's text. Exact for texts that stand in the file as they are, quoted or not,
 * and for literal blocks; where escapes or folding lie between, the part is looked up in the raw text, and the whole
 * scalar is shown if that is ambiguous.
 */
export function spotWithin(node: ScalarNode, from: number, to: number): Spot {
  const { source, start, end, text } = node;
  const raw = source.text.slice(start, end);
  const exact = raw === text ? start : raw.slice(1, -1) === text ? start + 1 : undefined;
  if (exact !== undefined) return { source, start: exact + from, end: exact + to };
  return inLiteralBlock(node, raw, from, to) ?? byLookup(node, raw, from, to) ?? node;
}

function inLiteralBlock(node: ScalarNode, raw: string, from: number, to: number): Spot | undefined {
  if (!raw.startsWith('|')) return undefined;
  const before = node.text.slice(0, from).split('\n');
  const rawLines = raw.split('\n');
  const wanted = node.text.split('\n')[before.length - 1] ?? '';
  const rawLine = rawLines[before.length]?.replace(/\r$/, '') ?? '';
  if (!rawLine.endsWith(wanted)) return undefined;
  const lineStart = rawLines.slice(0, before.length).reduce((sum, line) => sum + line.length + 1, node.start);
  const start = lineStart + rawLine.length - wanted.length + (before.at(-1)?.length ?? 0);
  return { source: node.source, start, end: start + (to - from) };
}

function byLookup(node: ScalarNode, raw: string, from: number, to: number): Spot | undefined {
  const part = node.text.slice(from, to);
  if (part.trim() === '') return undefined;
  const places = placesOf(part, raw);
  const same = placesOf(part, node.text);
  // Neither escapes nor folding change the order of the places; where they add or hide one, it is not known which is which.
  const at = places.length === same.length ? places[same.indexOf(from)] : undefined;
  return at === undefined
    ? undefined
    : { source: node.source, start: node.start + at, end: node.start + at + part.length };
}

function placesOf(part: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) places.push(at);
  return places;
}

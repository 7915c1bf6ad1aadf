import type { Parameters } from './blocks.ts';
import { scalarType } from './scalar-type.ts';
import type { MapEntry, YamlNode } from './yaml-node.ts';

/** Chooses between two values of different types. */
export type Mismatch = (name: string, base: MapEntry, over: MapEntry) => MapEntry;

/**
 * Lays the parameters `over` on those of `base`: scalars replace, lists are appended, maps are merged one level deep with
 * `over` winning; a null says nothing. Neither argument is changed, and the result shares no list with them.
 */
export function mergeParameters(
  base: Parameters | undefined,
  over: Parameters | undefined,
  mismatch: Mismatch,
): Parameters | undefined {
  if (!base || !over) return over ?? base;
  const merged = new Map(base);
  for (const [name, entry] of over) {
    const before = merged.get(name);
    if (before === undefined || typeOf(before.value) === 'null') merged.set(name, entry);
    else if (typeOf(entry.value) !== 'null') merged.set(name, mergeEntries(name, before, entry, mismatch));
  }
  return merged;
}

function mergeEntries(name: string, base: MapEntry, over: MapEntry, mismatch: Mismatch): MapEntry {
  const [before, after] = [base.value, over.value];
  if (before.kind === 'list' && after.kind === 'list') {
    return { key: over.key, value: { ...after, items: [...before.items, ...after.items] } };
  }
  if (before.kind === 'map' && after.kind === 'map') {
    return { key: over.key, value: { ...after, entries: new Map([...before.entries, ...after.entries]) } };
  }
  return typeOf(before) === typeOf(after) ? over : mismatch(name, base, over);
}

/** The type of a value as far as merging is concerned. */
function typeOf(node: YamlNode): string {
  return node.kind === 'scalar' ? scalarType(node).type : node.kind;
}

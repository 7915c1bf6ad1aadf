import type { Parameters } from './blocks.ts';
import { scalarType } from './scalar-type.ts';
import type { MapEntry, YamlNode } from './yaml-node.ts';

/** Chooses between two values of different types. */
export type Mismatch = (name: string, base: MapEntry, over: MapEntry) => MapEntry;

/**
 * Lays parameters over one another, later ones over earlier ones: scalars replace, lists are appended, maps are merged one
 * level deep with the later one winning; a null says nothing. No layer is changed, and the result shares no list with them.
 */
export function mergeParameters(
  layers: readonly (Parameters | undefined)[],
  mismatch: Mismatch,
): Parameters | undefined {
  const given = layers.filter((layer) => layer !== undefined);
  const [first, ...others] = given;
  if (!first || others.length === 0) return first;
  const merged = new Map<string, MergedValue>([...first].map(([name, entry]) => [name, new MergedValue(entry)]));
  for (const layer of others) {
    for (const [name, entry] of layer) {
      const value = merged.get(name);
      if (value) value.lay(entry, (base, over) => mismatch(name, base, over));
      else merged.set(name, new MergedValue(entry));
    }
  }
  return new Map([...merged].map(([name, value]) => [name, value.entry]));
}

/** What a layer gives to another one: a null gives nothing. */
export function withoutNulls(layer: Parameters | undefined): Parameters | undefined {
  const given = [...(layer ?? [])].filter(([, { value }]) => typeOf(value) !== 'null');
  return given.length === (layer?.size ?? 0) ? layer : new Map(given);
}

/** One parameter while layers are laid over it. Lists and maps are collected, so that many layers cost what they hold. */
class MergedValue {
  #entry: MapEntry;
  #type: string;
  #items: YamlNode[] | undefined;
  #members: Map<string, MapEntry> | undefined;

  constructor(entry: MapEntry) {
    this.#entry = entry;
    this.#type = typeOf(entry.value);
  }

  get entry(): MapEntry {
    const { key, value } = this.#entry;
    if (this.#items && value.kind === 'list') return { key, value: { ...value, items: this.#items } };
    if (this.#members && value.kind === 'map') return { key, value: { ...value, entries: this.#members } };
    return this.#entry;
  }

  lay(over: MapEntry, mismatch: (base: MapEntry, over: MapEntry) => MapEntry): void {
    const type = typeOf(over.value);
    if (type === 'null') return;
    if (this.#type === 'null') this.#replace(over);
    else if (this.#type === type) this.#join(over);
    else this.#replace(mismatch(this.entry, over));
  }

  #replace(entry: MapEntry): void {
    this.#entry = entry;
    this.#type = typeOf(entry.value);
    this.#items = undefined;
    this.#members = undefined;
  }

  #join(over: MapEntry): void {
    const before = this.#entry.value;
    const after = over.value;
    if (before.kind === 'list' && after.kind === 'list') {
      this.#items ??= [...before.items];
      for (const item of after.items) this.#items.push(item);
    } else if (before.kind === 'map' && after.kind === 'map') {
      this.#members ??= new Map(before.entries);
      for (const [name, entry] of after.entries) this.#members.set(name, entry);
    }
    this.#entry = over;
  }
}

/** The type of a value as far as merging is concerned. */
function typeOf(node: YamlNode): string {
  return node.kind === 'scalar' ? scalarType(node).type : node.kind;
}

import type { Findings } from './findings.ts';
import { isNull } from './scalar-type.ts';
import type { Spot } from './source.ts';
import type { MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

/** Reads the values of a mapping as the language wants them. What is of another kind is left out. */
export class Fields {
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A text, as it stands in the file whatever its type would be. Undefined where it is left out or null. */
  text(map: MapNode, key: string): ScalarNode | undefined {
    const value = map.entries.get(key)?.value;
    return value?.kind === 'scalar' && !isNull(value) ? value : undefined;
  }

  /** A list of texts. */
  texts(map: MapNode, key: string): ScalarNode[] {
    return this.items(map, key).filter((item) => item.kind === 'scalar');
  }

  /** The items of a list, without the null ones. */
  items(map: MapNode, key: string): readonly YamlNode[] {
    const value = map.entries.get(key)?.value;
    if (value?.kind !== 'list') return [];
    if (!value.items.some(isUnset)) return value.items;
    return value.items.filter((item) => {
      if (!isUnset(item)) return true;
      this.#findings.add('T1503', item, `empty item of \`${key}\`, ignored`);
      return false;
    });
  }

  /** A mapping. */
  map(map: MapNode, key: string): MapNode | undefined {
    const value = map.entries.get(key)?.value;
    return value?.kind === 'map' ? value : undefined;
  }

  /**
   * Warns of keys that the language does not know; Falco Talon ignores them without a word.
   *
   * @param ofMatch keys that belong into `match`, where they are easily forgotten to stand
   */
  unknownKeys(map: MapNode, known: readonly string[], ofMatch: readonly string[] = []): void {
    for (const [name, { key }] of map.entries) {
      if (known.includes(name)) continue;
      const misplaced = this.#findings.suggest(name, ofMatch);
      const hint = this.#findings.didYouMean(name, known) ?? (misplaced && `\`${misplaced}\` stands in \`match\``);
      this.#findings.add('T1501', key, `unknown key \`${name}\`, ignored`, { hint });
    }
  }
}

/** Whether an entry has the key with a text that is not empty. */
export function named(item: MapNode, key: string): boolean {
  const value = item.entries.get(key)?.value;
  return value?.kind === 'scalar' && !isNull(value) && value.text !== '';
}

/** Whether a value is null, which counts as left out. */
export function isUnset(node: YamlNode): boolean {
  return node.kind === 'scalar' && isNull(node);
}

/** The place of a key of a mapping. */
export function keySpot(map: MapNode, key: string): Spot {
  return map.entries.get(key)?.key ?? map;
}

import { type Document, isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, type ParsedNode } from 'yaml';
import { ENOUGH, report, type YamlFault } from './compose-yaml.ts';
import type { ErrorId } from './errors.ts';
import type { Source } from './source.ts';
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

/** How many values a file may reach through aliases, those inside aliases counted each time. */
const MAX_ALIASED = 200_000;

const MERGE_KEY = '<<';
const HALF_PAIR = /\p{Surrogate}/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Turns the nodes of the yaml package into ours: aliases and merge keys resolved, keys as texts. */
export class TreeBuilder {
  readonly #source: Source;
  readonly #offset: number;
  readonly #faults: YamlFault[];
  readonly #anchors = new Map<string, YamlNode | undefined>();
  readonly #sizes = new Map<YamlNode, number>();
  #aliased = 0;

  constructor(source: Source, offset: number, faults: YamlFault[]) {
    this.#source = source;
    this.#offset = offset;
    this.#faults = faults;
  }

  build({ contents }: Document.Parsed): YamlNode | null {
    try {
      return contents === null ? null : this.#node(contents as ParsedNode, 0);
    } catch (error) {
      if (error === ENOUGH) return null;
      throw error;
    }
  }

  #node(node: ParsedNode | null, at: number): YamlNode {
    if (isAlias(node)) return this.#alias(node.source, node.range);
    const anchor = node !== null && 'anchor' in node ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const built = this.#collection(node, at);
    if (anchor !== undefined) this.#anchors.set(anchor, built);
    return built;
  }

  #collection(node: ParsedNode | null, at: number): YamlNode {
    if (node === null || isScalar(node)) return this.#scalar(node, at);
    const [start] = node.range;
    const spot = this.#spot(start, endOf(node));
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item as ParsedNode | null, start));
      return this.#measured({ kind: 'list', ...spot, items }, items);
    }
    if (isMap(node)) {
      const entries = this.#entries(node.items as unknown as readonly RawPair[], start);
      return this.#measured(
        { kind: 'map', ...spot, entries },
        [...entries.values()].map(({ value }) => value),
      );
    }
    return this.#scalar(null, start);
  }

  #scalar(node: ParsedNode | null, at: number): ScalarNode {
    if (!isScalar(node)) return { kind: 'scalar', ...this.#spot(at, at), text: '', plain: true };
    const [start, end] = node.range ?? [at, at];
    // The tag `!` leaves it to the reader; Falco Talon's takes the value as if it had none.
    const tag = node.tag === '!' ? undefined : node.tag?.replace(/^tag:yaml\.org,2002:/, '');
    const written = node.source ?? '';
    const text = tag === 'binary' ? this.#decoded(written, start, end) : written;
    if (HALF_PAIR.test(text)) {
      this.#fault('T1101', this.#spot(start, end), 'an escape stands for half a character (U+D800 to U+DFFF)');
    }
    const plain = node.type === 'PLAIN' || node.type === undefined;
    return { kind: 'scalar', ...this.#spot(start, end), text, plain, ...(tag !== undefined && { tag }) };
  }

  /** The text that a value with the tag `!!binary` stands for. */
  #decoded(written: string, start: number, end: number): string {
    const base64 = written.replace(/\s/g, '');
    if (!BASE64.test(base64)) this.#fault('T1109', this.#spot(start, end), 'the value of `!!binary` is no base64');
    return Buffer.from(base64, 'base64').toString();
  }

  #entries(pairs: readonly RawPair[], at: number): ReadonlyMap<string, MapEntry> {
    const own = new Map<string, MapEntry>();
    let merged: readonly MapNode[] = [];
    const names = new Set<string>();
    for (const pair of pairs) {
      const key = this.#node(pair.key, at);
      const value = this.#node(pair.value, key.end - this.#offset);
      if (!this.#isNewName(key, names)) continue;
      if (isMerge(key)) merged = this.#mergeSources(value);
      else own.set(key.text, { key, value });
    }
    for (const map of merged) {
      for (const [name, entry] of map.entries) if (!own.has(name)) own.set(name, entry);
    }
    return own;
  }

  /** Whether a key is a text that does not stand before it in its mapping; it is noted among the names. */
  #isNewName(key: YamlNode, names: Set<string>): key is ScalarNode {
    if (key.kind !== 'scalar') {
      this.#fault('T1107', key, 'a list or a mapping cannot be a key');
      return false;
    }
    if (names.has(key.text)) {
      this.#fault('T1102', key, `the key \`${key.text}\` stands twice in this mapping`);
      return false;
    }
    names.add(key.text);
    return true;
  }

  #mergeSources(value: YamlNode): MapNode[] {
    const maps = value.kind === 'list' ? value.items : [value];
    const wrong = maps.find((map) => map.kind !== 'map');
    if (wrong) this.#fault('T1108', wrong, 'a merge key `<<` takes a mapping or a list of mappings');
    return maps.filter((map) => map.kind === 'map');
  }

  #alias(name: string, [start, end]: readonly number[] | [number, number, number]): YamlNode {
    const spot = this.#spot(start ?? 0, end ?? 0);
    const empty: ScalarNode = { kind: 'scalar', ...spot, text: '', plain: true };
    if (!this.#anchors.has(name)) {
      this.#fault('T1103', spot, `the alias \`*${name}\` has no anchor before it`);
      return empty;
    }
    const target = this.#anchors.get(name);
    if (!target) {
      this.#fault('T1104', spot, `the alias \`*${name}\` stands inside the value that it names`);
      return empty;
    }
    this.#aliased += this.#size(target);
    if (this.#aliased > MAX_ALIASED) {
      this.#fault('T1105', spot, `the aliases of this file expand to more than ${MAX_ALIASED} values`);
      throw ENOUGH;
    }
    return target;
  }

  /** Notes how many values a collection has, with all those that it reaches through aliases. */
  #measured<N extends YamlNode>(node: N, children: readonly YamlNode[]): N {
    this.#sizes.set(
      node,
      children.reduce((sum, child) => sum + this.#size(child), 1),
    );
    return node;
  }

  #size(node: YamlNode): number {
    return this.#sizes.get(node) ?? 1;
  }

  #fault(code: ErrorId, { start, end }: { start: number; end: number }, message: string): void {
    report(this.#faults, { code, start: start - this.#offset, end: end - this.#offset, message });
  }

  #spot(start: number, end: number): { source: Source; start: number; end: number } {
    return { source: this.#source, start: start + this.#offset, end: end + this.#offset };
  }
}

function isMerge({ text, plain, tag }: ScalarNode): boolean {
  return text === MERGE_KEY && (tag === 'merge' || (plain && tag === undefined));
}

/** The end of what is written: of the last value in a block collection, without the lines up to the next one. */
function endOf(node: ParsedNode): number {
  if (!isCollection(node) || node.flow) return node.range[1];
  const last: unknown = node.items.at(-1);
  const inner = isPair(last) ? (last.value ?? last.key) : last;
  return isNode(inner) ? endOf(inner as ParsedNode) : node.range[1];
}

interface RawPair {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
}

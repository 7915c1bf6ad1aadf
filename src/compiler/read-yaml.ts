import {
  Composer,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
} from 'yaml';
import type { ErrorId } from './errors.ts';
import type { Source } from './source.ts';
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

/** Collections inside one another, counted as the parser stacks them. Rules need about ten. */
const MAX_DEPTH = 200;
/** How many values a file may reach through aliases, those inside aliases counted each time. */
const MAX_ALIASED = 200_000;
/** Faults reported of one text; what follows them is mostly consequence. */
const MAX_FAULTS = 10;

/** Something wrong with the YAML itself. */
export interface YamlFault {
  readonly code: ErrorId;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface YamlText {
  /** The root of each document; null for an empty one. */
  readonly documents: readonly (YamlNode | null)[];
  readonly faults: readonly YamlFault[];
}

/**
 * Reads a text with the yaml package, without giving scalars a type. Never throws: bad YAML becomes faults.
 *
 * @param offset where `text` starts in the source, for the places of the nodes
 */
export function readYaml(source: Source, text: string = source.text, offset = 0): YamlText {
  const faults: YamlFault[] = [];
  const documents = composeDocuments(text, faults);
  const trees =
    faults.length > 0 ? [] : documents.map((document) => new TreeBuilder(source, offset, faults).build(document));
  const placed = faults.slice(0, MAX_FAULTS).map((fault) => ({
    ...fault,
    start: fault.start + offset,
    end: fault.end + offset,
  }));
  return { documents: faults.length > 0 ? [] : trees, faults: placed };
}

function composeDocuments(text: string, faults: YamlFault[]): Document.Parsed[] {
  const parser = new Parser();
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const documents: Document.Parsed[] = [];
  const take = (parsed: Iterable<Document.Parsed>): void => {
    for (const document of parsed) {
      documents.push(document);
      for (const error of document.errors) faults.push(yamlFault(error));
    }
  };
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) take(composer.next(token));
    if (parser.stack.length <= MAX_DEPTH) continue;
    const at = parser.offset;
    faults.push({ code: 'T1106', start: at, end: at, message: `nested more than ${MAX_DEPTH} levels deep` });
    return documents;
  }
  for (const token of parser.end()) take(composer.next(token));
  take(composer.end());
  return documents;
}

function yamlFault({ pos, code, message }: { pos: [number, number]; code: string; message: string }): YamlFault {
  const text = message.replace(/\.$/, '');
  const lower = /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return { code: 'T1101', start: pos[0], end: pos[1], message: lower, hint: YAML_HINTS[code] };
}

/** What usually is behind an error of the YAML reader, by its code. */
const YAML_HINTS: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'put quotes around a text that contains a colon and a space',
  UNEXPECTED_TOKEN: 'put quotes around a text that starts with a sign such as > | * & % @',
  BAD_INDENT: 'the keys of a mapping stand in one column',
  TAB_AS_INDENT: 'indent with spaces',
};

/** Turns the nodes of the yaml package into ours: aliases and merge keys resolved, keys as texts. */
class TreeBuilder {
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

  build(document: Document.Parsed): YamlNode | null {
    const { contents } = document;
    return contents === null ? null : this.#node(contents as ParsedNode, 0);
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
    const tag = node.tag?.replace(/^tag:yaml\.org,2002:/, '');
    const text = typeof node.value === 'string' ? node.value : '';
    const plain = node.type === 'PLAIN' || node.type === undefined;
    return { kind: 'scalar', ...this.#spot(start, end), text, plain, ...(tag !== undefined && { tag }) };
  }

  #entries(pairs: readonly RawPair[], at: number): ReadonlyMap<string, MapEntry> {
    const own = new Map<string, MapEntry>();
    const merged: MapNode[] = [];
    for (const pair of pairs) {
      const key = this.#node(pair.key, at);
      const value = this.#node(pair.value, key.end - this.#offset);
      if (key.kind !== 'scalar') {
        this.#fault('T1107', key, 'a list or a mapping cannot be a key');
      } else if (key.plain && key.text === '<<') {
        merged.push(...this.#mergeSources(value));
      } else if (own.has(key.text)) {
        this.#fault('T1102', key, `the key \`${key.text}\` stands twice in this mapping`);
      } else {
        own.set(key.text, { key, value });
      }
    }
    for (const map of merged) {
      for (const [name, entry] of map.entries) if (!own.has(name)) own.set(name, entry);
    }
    return own;
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
      return empty;
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
    if (this.#faults.length >= MAX_FAULTS) return;
    this.#faults.push({ code, start: start - this.#offset, end: end - this.#offset, message });
  }

  #spot(start: number, end: number): { source: Source; start: number; end: number } {
    return { source: this.#source, start: start + this.#offset, end: end + this.#offset };
  }
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

import { Lexer } from 'yaml';
import { composeDocuments, type YamlFault } from './compose-yaml.ts';
import { lenientLexer } from './lenient-lexer.ts';
import type { Source } from './source.ts';
import type { YamlNode } from './yaml-node.ts';
import { TreeBuilder } from './yaml-tree.ts';

export interface YamlText {
  /** The root of each document; null for an empty one. */
  readonly documents: readonly (YamlNode | null)[];
  readonly faults: readonly YamlFault[];
}

/**
 * Reads a text with the yaml package, without giving scalars a type. Never throws: bad YAML becomes faults. What is only
 * indented too little is read all the same.
 *
 * @param offset where `text` starts in the source, for the places of the nodes
 */
export function readYaml(source: Source, text: string = source.text, offset = 0): YamlText {
  const strict = compose(source, text, offset, new Lexer());
  if (strict.faults.length === 0) return strict;
  const lenient = compose(source, text, offset, lenientLexer());
  return lenient.faults.length === 0 ? lenient : strict;
}

function compose(source: Source, text: string, offset: number, lexer: Lexer): YamlText {
  const faults: YamlFault[] = [];
  const documents = composeDocuments(text, faults, lexer);
  const trees =
    faults.length > 0 ? [] : documents.map((document) => new TreeBuilder(source, offset, faults).build(document));
  const placed = faults.map((fault) => ({ ...fault, start: fault.start + offset, end: fault.end + offset }));
  return { documents: faults.length > 0 ? [] : trees, faults: placed };
}

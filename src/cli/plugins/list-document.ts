import { stringify } from 'yaml';
import type { ParameterSchema } from '../../model/parameters.ts';
import type { ParameterValue } from '../../model/rule.ts';
import { parameterRows } from './plugin-parameters.ts';

/** How a list is printed: Falco Talon's layout for people, JSON for programs. */
export type ListFormat = 'text' | 'json';

/** One entry of a list: a heading, and the YAML document under it. Entries that are undefined are left out. */
export function listDocument(id: string, entry: Readonly<Record<string, unknown>>): string {
  return `--- ${id} ---\n\n${stringify(entry, { indent: 4, indentSeq: true, lineWidth: 0, aliasDuplicateObjects: false, blockQuote: 'literal' })}\n`;
}

/** Parameters as Falco Talon lists them: names with their defaults, required ones marked in the name. */
export function listedParameters(schema: ParameterSchema): Readonly<Record<string, ParameterValue>> {
  return Object.fromEntries(
    parameterRows(schema).map((row) => [row.required ? `${row.name} (required)` : row.name, row.default]),
  );
}

import * as z from 'zod';
import { type ParameterSchema, parameterFacts } from '../../model/parameters.ts';
import type { ParameterValue } from '../../model/rule.ts';

/** A parameter or a setting of a plug-in, as lists and pages show it. */
export interface ParameterRow {
  readonly name: string;
  /** For people: `string`, `integer`, `pod or node`, `list of string`. */
  readonly type: string;
  readonly required: boolean;
  /** The value in effect when it is left out; for a required one the empty value of its type. */
  readonly default: ParameterValue;
  readonly description: string;
  readonly aliases: readonly string[];
}

/** All parameters of a schema, by name. */
export function parameterRows(schema: ParameterSchema): readonly ParameterRow[] {
  return Object.entries(schema.shape)
    .map(([name, field]) => {
      const facts = parameterFacts(field);
      const type = typeName(field);
      return {
        name,
        type,
        required: !z.safeParse(field, undefined).success,
        default: facts.default ?? (type.startsWith('map') ? {} : ''),
        description: facts.description ?? '',
        aliases: facts.aliases ?? [],
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function typeName(field: z.core.$ZodType): string {
  const { enum: words, default: value } = parameterFacts(field);
  if (words) return words.join(' or ');
  const { def } = (field as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
      return typeName(def.innerType);
    case 'pipe':
      // Settings take any scalar; what they mean shows in the default.
      return typeof value === 'boolean' ? 'boolean' : typeof value === 'number' ? 'integer' : typeName(def.in);
    case 'union':
      return 'string';
    case 'enum':
      return Object.values(def.entries)
        .filter((word) => word !== '')
        .join(' or ');
    case 'array':
      return `list of ${typeName(def.element)}`;
    case 'record':
      return `map of ${typeName(def.valueType)}`;
    default:
      return def.type;
  }
}

import type * as z from 'zod';
import { settingLeaves } from '../../src/cli/settings/setting-leaves.ts';
import type { Catalog } from '../../src/model/definition.ts';
import { type ParameterFacts, parameterFacts } from '../../src/model/parameters.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What a setting may be written as: the configuration is read as leniently as environment variables are. */
const TYPES = {
  string: { type: ['string', 'number', 'boolean', 'null'] },
  int: { type: ['integer', 'string', 'null'] },
  bool: { type: ['boolean', 'string', 'null'] },
  list: { type: ['array', 'string', 'null'], items: { type: ['string', 'number', 'boolean'] } },
} as const;

/** The JSON Schema of the configuration file, for editors. What ranges numbers have, the program says when it starts. */
export function configSchema({ notifiers }: Catalog): Schema {
  const groups: Record<string, { type: string[]; properties: Record<string, Schema> }> = {};
  const properties: Record<string, Schema> = {};
  for (const { path, alias = [], kind, description, default: value } of settingLeaves()) {
    const schema = { ...TYPES[kind], description, ...(value === '' ? {} : { default: value }) };
    for (const key of [path, ...alias]) {
      const [group = '', name] = key.split('.');
      if (name === undefined) properties[group] = schema;
      else {
        groups[group] ??= { type: ['object', 'null'], properties: {} };
        groups[group].properties[name] = schema;
      }
    }
  }
  const known = [...notifiers.values()].map(({ id, description, settings }) => [
    id,
    { ...objectOf(Object.entries(settings.shape).flatMap(settingOf)), description },
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of Talon',
    type: ['object', 'null'],
    properties: { ...properties, ...groups, notifiers: objectOf(known as [string, Schema][]) },
  };
}

function objectOf(properties: readonly (readonly [string, Schema])[]): Schema {
  return { type: ['object', 'null'], properties: Object.fromEntries(properties) };
}

/** A setting of a notifier under each of its names. */
function settingOf([name, field]: [string, z.core.$ZodType]): (readonly [string, Schema])[] {
  const { aliases = [], description, default: value, enum: words } = parameterFacts(field) as ParameterFacts;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const schema: Schema = {
    ...(isMap ? { type: ['object', 'null'] } : TYPES.string),
    description,
    ...(words ? { enum: [...words, null] } : {}),
    ...(value === undefined || value === '' || isMap ? {} : { default: value }),
  };
  return [name, ...aliases].map((key) => [key, schema] as const);
}

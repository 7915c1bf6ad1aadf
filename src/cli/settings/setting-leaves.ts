import * as z from 'zod';
import { type SettingNotes, settingsSchema } from './settings-schema.ts';

export type SettingKind = 'string' | 'int' | 'bool' | 'list';

/** One setting of the schema. */
export interface SettingLeaf extends SettingNotes {
  /** Dotted key. */
  readonly path: string;
  readonly kind: SettingKind;
  /** Environment variables that set it; the first that is not empty counts. */
  readonly variables: readonly string[];
  readonly description: string;
  readonly default: unknown;
}

/** All settings of the schema, in its order. The documentation is made from them as well. */
export function settingLeaves(): readonly SettingLeaf[] {
  return leavesOf(settingsSchema, '');
}

function leavesOf(schema: z.ZodObject, prefix: string): SettingLeaf[] {
  return Object.entries(schema.shape).flatMap(([key, child]) => {
    const path = `${prefix}${key}`;
    return child instanceof z.ZodObject ? leavesOf(child, `${path}.`) : [leafOf(child as z.ZodDefault, path)];
  });
}

function leafOf(schema: z.ZodDefault, path: string): SettingLeaf {
  const { description = '', env = [], ...notes } = (schema.meta() ?? {}) as SettingNotes & { description?: string };
  return {
    path,
    kind: kindOf(schema.unwrap()),
    variables: [path.toUpperCase().replaceAll('.', '_'), ...env],
    description,
    default: schema.def.defaultValue,
    ...notes,
  };
}

function kindOf(schema: unknown): SettingKind {
  if (schema instanceof z.ZodNumber) return 'int';
  if (schema instanceof z.ZodBoolean) return 'bool';
  return schema instanceof z.ZodArray ? 'list' : 'string';
}

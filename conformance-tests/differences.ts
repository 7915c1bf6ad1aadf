import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CATEGORIES, type Category } from './oracle-case.ts';

/** Where our result is not the recorded one. */
export interface Difference {
  /** Short name of a quirk (oracle/quirks.yaml), a colon, and why ours is better. */
  readonly reason: string;
  readonly expected: unknown;
}

const quirks = z.record(
  z.string(),
  z.strictObject({
    /** `same`: as recorded; `changed`: not as recorded; `either`: as recorded or not; `both`: the recorded way works too. */
    ours: z.enum(['same', 'changed', 'both', 'either']),
    recorded: z.string(),
    note: z.string().optional(),
  }),
);

const differences = z.record(
  z.enum(CATEGORIES),
  z.record(z.string(), z.strictObject({ reason: z.string().regex(/^[a-z-]+: ./), expected: z.unknown() })).nullable(),
);

/** The table of what was recorded that the documentation does not say, and what ours does. */
export function readQuirks(): z.infer<typeof quirks> {
  return quirks.parse(yamlFile('oracle/quirks.yaml'));
}

/** The known differences of one category, by case. */
export function readDifferences(category: Category): ReadonlyMap<string, Difference> {
  return new Map(Object.entries(differences.parse(yamlFile('differences.yaml'))[category] ?? {}));
}

function yamlFile(name: string): unknown {
  return parse(readFileSync(path.join(import.meta.dirname, name), 'utf8'));
}

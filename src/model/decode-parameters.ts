import type { z } from 'zod';
import { type ParameterSchema, parameterFacts, pathText } from './parameters.ts';
import type { ParameterMap } from './rule.ts';

/** What is wrong with one parameter. The path starts with the name as the rules file spells it. */
export interface ParameterProblem {
  readonly path: readonly (string | number)[];
  /** A sentence that names the parameter: Falco Talon's where its text is fixed. */
  readonly message: string;
}

export type DecodedParameters<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ParameterProblem[] };

/**
 * Reads the parameters of an action or an output as its plug-in wants them. Names are matched without regard to case,
 * and by their other accepted spellings; names that the schema does not know are left out.
 *
 * @param given as the rules file has them after merging; null for none
 */
export function decodeParameters<S extends ParameterSchema>(
  schema: S,
  given: ParameterMap | null,
): DecodedParameters<z.output<S>> {
  const spelling = matchNames(schema, Object.keys(given ?? {}));
  const values = Object.fromEntries([...spelling].map(([name, written]) => [name, given?.[written]]));
  const result = schema.safeParse(values, { error: (issue) => describeIssue(issue) });
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.map(({ path, message }) => {
    const [name, ...inner] = path.map((step) => (typeof step === 'number' ? step : String(step)));
    return { path: name === undefined ? [] : [spelling.get(String(name)) ?? name, ...inner], message };
  });
  return { ok: false, problems };
}

/** The names among `given` that the schema does not know, in their order. Falco Talon ignores them without a word. */
export function unknownParameters(schema: ParameterSchema, given: ParameterMap): readonly string[] {
  return Object.keys(given).filter((name) => parameterName(schema, name) === undefined);
}

/** The name in the schema that a written name stands for, in any case and by any of its spellings. */
export function parameterName(schema: ParameterSchema, written: string): string | undefined {
  return spellings(schema).get(written.toLowerCase());
}

/** Which name of the schema takes which written one: the exact spelling before another case before an alias. */
export function matchNames(schema: ParameterSchema, given: Iterable<string>): ReadonlyMap<string, string> {
  const matched = new Map<string, string>();
  const distance = (name: string, written: string) =>
    written === name ? 0 : written.toLowerCase() === name.toLowerCase() ? 1 : 2;
  for (const written of given) {
    const name = parameterName(schema, written);
    if (name === undefined) continue;
    const before = matched.get(name);
    if (before === undefined || distance(name, written) < distance(name, before)) matched.set(name, written);
  }
  return matched;
}

const known = new WeakMap<ParameterSchema, ReadonlyMap<string, string>>();

/** All accepted spellings in lower case, with the name that each stands for. Kept, since a compiler asks for every action. */
function spellings(schema: ParameterSchema): ReadonlyMap<string, string> {
  const kept = known.get(schema);
  if (kept) return kept;
  const names = new Map(
    Object.entries(schema.shape).flatMap(([name, field]) =>
      [name, ...(parameterFacts(field).aliases ?? [])].map((spelling) => [spelling.toLowerCase(), name] as const),
    ),
  );
  known.set(schema, names);
  return names;
}

/** The sentence for an issue for which the building block has none of its own. It shows no values: some are secret. */
function describeIssue(issue: z.core.$ZodRawIssue): string {
  const name = pathText(issue.path);
  if (issue.input === undefined || issue.input === null || issue.input === '') return `missing parameter '${name}'`;
  switch (issue.code) {
    case 'invalid_type':
      return `parameter '${name}' must be ${TYPES[issue.expected] ?? issue.expected}, got ${typeOf(issue.input)}${hint(issue)}`;
    case 'invalid_value':
      return `parameter '${name}' must be ${alternatives(issue.values)}`;
    case 'too_small':
      return `parameter '${name}' must be at least ${issue.minimum}`;
    case 'too_big':
      return `parameter '${name}' must be at most ${issue.maximum}`;
    default:
      return `wrong value for the parameter '${name}'`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  record: 'a map',
};

function hint({ expected, input }: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidType>): string {
  return expected === 'string' && typeof input !== 'object' ? ': put it in quotes' : '';
}

function alternatives(words: readonly unknown[]): string {
  return words
    .filter((word) => word !== '')
    .map((word) => `'${String(word)}'`)
    .join(' or ');
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : `a ${typeof value}`;
}

import * as z from 'zod';
import { isCidr } from './ip-address.ts';
import { isNamespaceName } from './kube-names.ts';
import type { ParameterValue } from './rule.ts';

/**
 * Building blocks for the parameters of actionners and outputs, with Falco Talon's rules: types are strict, nothing is
 * converted between text and number; a YAML null is the zero value of the type; a fraction is cut off where an integer
 * is wanted; "required" means not zero. Each block takes the description that lists and editors show.
 */

/** A map of named parameters; the keys are their names in rules files. */
export type ParameterSchema = z.ZodObject;

/** What the blocks note beside the schema, by Zod's `meta()`. */
export interface ParameterFacts {
  /** The value in effect when the parameter is left out. */
  readonly default?: ParameterValue;
  /** Other spellings that are accepted. */
  readonly aliases?: readonly string[];
  /** `text`: the value is the path of a text file whose content becomes part of the bundle. */
  readonly embeds?: 'text';
  /** How the tokens of an alert are put into it: `expandParameters` says what the words mean. Without it they are not. */
  readonly expands?: Expansion;
  /** A map of texts; the compiler takes numbers in it as they are spelled. */
  readonly spelled?: true;
  readonly description?: string;
  /** Its value must not be shown. */
  readonly secret?: boolean;
  /** The words that mean something, where others are taken for the default. */
  readonly enum?: readonly string[];
}

/** How a parameter takes the tokens of an alert. */
export type Expansion = 'text' | 'folder' | 'program';

interface Described {
  readonly aliases?: readonly string[];
  readonly expands?: Expansion;
  readonly embeds?: 'text';
}

/** A text that may be left out; `fallback` stands for an empty one, or the plug-in puts what is `listed` there. */
export function text(
  description: string,
  {
    fallback = '',
    listed = fallback,
    ...facts
  }: Described & { readonly fallback?: string; readonly listed?: string } = {},
) {
  return z
    .string()
    .nullish()
    .transform((value) => value || fallback)
    .meta({ description, default: listed, ...facts });
}

/** A text that must be there and not be empty. */
export function requiredText(description: string, facts: Described = {}) {
  return z
    .string()
    .min(1)
    .meta({ description, ...facts });
}

/** One of the given words. */
export function oneOf<const V extends string>(
  description: string,
  words: readonly V[],
  fallback: NoInfer<V>,
): z.ZodType<V> {
  return z
    .enum(['', ...words])
    .nullish()
    .transform((value): V => (value === null || value === undefined || value === '' ? fallback : (value as V)))
    .meta({ description, default: fallback });
}

/** `true` or `false`, false when left out. */
export function flag(description: string, facts: Described = {}) {
  return z
    .boolean()
    .nullish()
    .transform((value) => value ?? false)
    .meta({ description, default: false, ...facts });
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly fallback?: number;
  /** Whether a written 0 counts as left out. */
  readonly zeroIsAbsent?: boolean;
}

/** A whole number. */
export function integer(description: string, { min, max, fallback = 0, zeroIsAbsent = true }: Range = {}) {
  const atLeast = min === undefined ? z.int() : z.int().min(min);
  const range = max === undefined ? atLeast : atLeast.max(max);
  return z
    .number()
    .nullish()
    .transform((value) => {
      const whole = Math.trunc(value ?? fallback) + 0;
      return whole === 0 && zeroIsAbsent ? fallback : whole;
    })
    .pipe(range)
    .meta({
      description,
      default: fallback,
      ...(min === undefined ? {} : { minimum: zeroIsAbsent ? Math.min(min, 0) : min }),
      ...(max === undefined ? {} : { maximum: max }),
    });
}

const texts = z.array(
  z
    .string()
    .nullable()
    .transform((value) => value ?? ''),
);

/** A list of texts. Undefined when left out, which is not the same as empty. */
export function textList(description: string) {
  return texts
    .nullish()
    .transform((value) => value ?? undefined)
    .meta({ description, default: [] });
}

/** A list of namespaces. Undefined when left out, which is not the same as empty. */
export function namespaceList(description: string) {
  return texts
    .superRefine((values, context) => {
      for (const [index, value] of values.entries()) {
        if (isNamespaceName(value)) continue;
        context.addIssue({ code: 'custom', path: [index], message: `wrong namespace '${value}'` });
      }
    })
    .nullish()
    .transform((value) => value ?? undefined)
    .meta({ description, default: [] });
}

/** A list of CIDRs, IPv4 or IPv6, always with the mask. Undefined when left out. */
export function cidrList(description: string, listed: readonly string[] = []) {
  return texts
    .superRefine((values, context) => {
      for (const [index, value] of values.entries()) {
        if (!isCidr(value)) context.addIssue({ code: 'custom', path: [index], message: `wrong CIDR '${value}'` });
      }
    })
    .nullish()
    .transform((value) => value ?? undefined)
    .meta({ description, default: listed });
}

/**
 * A map of texts that must have an entry. Falco Talon refuses booleans and numbers in it; its documentation shows them
 * all the same, so they are taken as their text here. Those of rules files come as texts already: the compiler knows how
 * numbers are spelled.
 *
 * @param noun what one entry is called, such as `label`
 */
export function textMap(description: string, noun: string) {
  const value = z
    .union([z.string(), z.boolean(), z.number(), z.null()], { error: (issue) => mustBe(issue.path, 'a string') })
    .transform((given) => (given === null ? '' : String(given)));
  return z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length > 0, {
      error: (issue) => `parameter '${pathText(issue.path)}' should have at least one ${noun}`,
    })
    .meta({ description, spelled: true });
}

/** How many replicas must stay healthy: a number of them, or a percentage of the wanted ones. */
export type HealthThreshold = { readonly count: number } | { readonly percent: number };

const THRESHOLD = /^([+-]?\d+)(%?)$/;

/** An integer from 0, or a percentage from 0% to 100%, as a text. Undefined when left out. */
export function healthThreshold(description: string) {
  return z
    .string()
    .refine((given) => given === '' || parseThreshold(given) !== undefined, {
      error: (issue) => mustBe(issue.path, 'a number of replicas or a percentage from 0% to 100%'),
    })
    .nullish()
    .transform((given) => parseThreshold(given ?? ''))
    .meta({ description, default: '' });
}

function parseThreshold(given: string): HealthThreshold | undefined {
  const [, digits, sign] = THRESHOLD.exec(given) ?? [];
  const value = Number(digits);
  if (digits === undefined || value < 0 || !Number.isSafeInteger(value)) return undefined;
  if (sign !== '%') return { count: value };
  return value <= 100 ? { percent: value } : undefined;
}

/** `labels[app]`, `allow_cidr[0]`: a place inside parameters, as messages name it. */
export function pathText(path: readonly PropertyKey[] | undefined): string {
  const [name = '', ...inner] = path ?? [];
  return String(name) + inner.map((step) => `[${String(step)}]`).join('');
}

function mustBe(path: readonly PropertyKey[] | undefined, what: string): string {
  return `parameter '${pathText(path)}' must be ${what}`;
}

/** What the building blocks noted about a parameter. */
export function parameterFacts(field: z.core.$ZodType): ParameterFacts {
  return (z.globalRegistry.get(field) ?? {}) as ParameterFacts;
}

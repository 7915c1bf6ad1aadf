import * as z from 'zod';

/**
 * Building blocks for the settings of notifiers. Unlike parameters of actions they are lenient, as in Falco Talon: they
 * may come from environment variables, so any scalar is read as a text, and what does not parse means the default.
 */

const scalar = z.union([z.string(), z.number(), z.boolean()]);

interface SettingFacts {
  readonly secret?: boolean;
  readonly aliases?: readonly string[];
}

/** A text; an empty one is a value of its own, left out means `fallback`. */
export function settingText(description: string, fallback = '', facts: SettingFacts = {}) {
  return scalar
    .nullish()
    .transform((value) => (value === null || value === undefined ? fallback : String(value)))
    .meta({ description, default: fallback, ...facts });
}

/** A method of HTTP, in capital letters. `problem` is the error message for what can be none. */
export function settingMethod(description: string, fallback: string, problem: string) {
  return scalar
    .nullish()
    .transform((value) => String(value || fallback).toUpperCase())
    .refine((method) => /^[A-Z]{1,20}$/.test(method), { error: () => problem })
    .meta({ description, default: fallback });
}

/** Host and port, as in `mail.example.org:587`. `problem` is the error message for anything else. */
export function requiredHostPort(description: string, problem: string) {
  return z
    .string({ error: () => problem })
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:@/]+):\d{1,5}$/, { error: () => problem })
    .meta({ description });
}

/** A text that must not be empty. `problem` is the whole error message. */
export function requiredSetting(description: string, problem: string, facts: SettingFacts = {}) {
  return z
    .union([z.string(), z.number(), z.boolean()], { error: () => problem })
    .transform(String)
    .refine((value) => value !== '', { error: () => problem })
    .meta({ description, ...facts });
}

/** An `http` or `https` URL. `problem` is the error message for a missing one. */
export function requiredUrl(description: string, problem: string, facts: SettingFacts = {}) {
  return z
    .string({ error: () => problem })
    .min(1, { error: () => problem, abort: true })
    .regex(/^https?:\/\/[^\s/?#]+\S*$/i, { error: () => 'invalid url' })
    .meta({ description, ...facts });
}

/** One of two or more words; anything else means `fallback`. */
export function settingWord<const W extends string>(description: string, words: readonly W[], fallback: NoInfer<W>) {
  return scalar
    .nullish()
    .transform((value): W => words.find((word) => word === value) ?? fallback)
    .meta({ description, default: fallback, enum: [...words] });
}

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** A boolean in any spelling that Go reads. */
export function settingFlag(description: string, fallback: boolean) {
  return scalar
    .nullish()
    .transform((value) => {
      const given = String(value);
      if (TRUE.includes(given)) return true;
      return FALSE.includes(given) ? false : fallback;
    })
    .meta({ description, default: fallback });
}

/** A whole number from `min`. `problem` is the error message for a smaller one. */
export function settingInteger(description: string, fallback: number, min: number, problem: string) {
  return scalar
    .nullish()
    .transform((value) => (/^[+-]?\d+$/.test(String(value)) ? Number(value) : fallback))
    .refine((value) => value >= min, { error: () => problem })
    .meta({ description, default: fallback });
}

/** HTTP headers to add, by name. */
export function settingHeaders(description: string) {
  return z
    .record(z.string(), scalar.transform(String))
    .nullish()
    .transform((headers) => headers ?? {})
    .meta({ description, default: {}, secret: true });
}

import * as z from 'zod';
import { headerProblem } from './http-header.ts';
import { HTTP_URL, isHttpUrl } from './http-url.ts';

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

/** A text that is sent as the value of a header. `problem` is the error message for what can be none. */
export function settingHeader(description: string, problem: string, fallback = '') {
  return scalar
    .nullish()
    .transform((value) => (value === null || value === undefined ? fallback : String(value)))
    .refine((value) => headerProblem('x', value) === undefined, { error: () => problem })
    .meta({ description, default: fallback });
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
    .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:@/]+):\d{1,5}$/, { error: () => problem, abort: true })
    .refine((server) => isHttpUrl(`http://${server}`) && !/:0+$/.test(server), { error: () => problem })
    .meta({ description });
}

/** Addresses of mail, separated by commas. `missing` and `wrong` are the error messages. */
export function requiredAddresses(
  description: string,
  { missing, wrong }: { readonly missing: string; readonly wrong: string },
) {
  return z
    .string({ error: ({ input }) => (input === undefined || input === null ? missing : wrong) })
    .min(1, { error: () => missing, abort: true })
    .regex(/^[^\r\n\0@]*[^\s@]@[^\s@][^\r\n\0]*$/, { error: () => wrong })
    .meta({ description });
}

/** An `http` or `https` URL. `problem` is the error message for a missing one. */
export function requiredUrl(description: string, problem: string, facts: SettingFacts = {}) {
  return z
    .string({ error: () => problem })
    .min(1, { error: () => problem, abort: true })
    .regex(HTTP_URL, { error: () => 'invalid url', abort: true })
    .refine(isHttpUrl, { error: () => 'invalid url' })
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
    .superRefine((headers, context) => {
      for (const [name, value] of Object.entries(headers)) {
        const problem = headerProblem(name, value);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      }
    })
    .meta({ description, default: {}, secret: true });
}

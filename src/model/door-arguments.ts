import type { LabelChanges } from './capability.ts';
import { DoorError } from './door-error.ts';

/** Labels in one call, and UTF-16 units of a key or a value. What a label may look like, the API server says best. */
const MOST_LABELS = 256;
const LONGEST_LABEL = 4096;
/** Annotations may be longer; all of one object together are limited by the API server. */
const LONGEST_TEXT = 256 * 1024;
const MOST_TEXTS = 1024;

/** A fresh map of label changes out of anything. */
export function readLabels(given: unknown): LabelChanges {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw malformed('labels');
  const entries = Object.entries(given);
  if (entries.length > MOST_LABELS) throw malformed(`more than ${MOST_LABELS} labels`);
  for (const [key, value] of entries) {
    const length = typeof value === 'string' ? value.length : value === null ? 0 : Number.POSITIVE_INFINITY;
    if (key.length > LONGEST_LABEL || length > LONGEST_LABEL) throw malformed('a label');
  }
  return Object.fromEntries(entries);
}

/** A whole number out of anything. */
export function readInteger(given: unknown): number {
  if (!Number.isSafeInteger(given)) throw malformed('a number');
  return given as number;
}

/** A text of at most 256 Ki UTF-16 units out of anything. */
export function readText(given: unknown): string {
  if (typeof given !== 'string' || given.length > LONGEST_TEXT) throw malformed('a text');
  return given;
}

/** A fresh list of such texts. */
export function readTexts(given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length > MOST_TEXTS) throw malformed('a list of texts');
  return given.map(readText);
}

/** True or false out of anything. */
export function readFlag(given: unknown): boolean {
  if (typeof given !== 'boolean') throw malformed('true or false');
  return given;
}

/** What the schema makes of anything. */
export function readValue<T>(given: unknown, schema: { safeParse(given: unknown): { success: boolean; data?: T } }): T {
  const { success, data } = schema.safeParse(given);
  if (!success) throw malformed('what the door asks for');
  return data as T;
}

function malformed(what: string): DoorError {
  return new DoorError('door', `malformed argument: ${what}`);
}

/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

/** What stands in the place of a secret. */
const MASK = '***';

/** Shorter ones would be found in texts that do not hold them, and hide those from people. */
const LEAST_LENGTH = 4;

/**
 * Makes what takes secrets out of texts: as they are, and as they look inside a URL, in base64 and in JSON. Undefined when
 * there is nothing to take out.
 *
 * @param secrets values of settings that are marked secret; those of fewer than four characters are left alone
 */
export function createRedactor(secrets: readonly string[]): Redact | undefined {
  const forms = new Set(secrets.filter((secret) => secret.length >= LEAST_LENGTH).flatMap(formsOf));
  if (forms.size === 0) return undefined;
  // The longest first: what is left of a long one must not be what follows a shorter one inside it.
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(sorted.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return (text) => text.replace(pattern, MASK);
}

function formsOf(secret: string): string[] {
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(secret)));
  return [
    secret,
    encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '\ufffd')),
    base64,
    JSON.stringify(secret).slice(1, -1),
  ];
}

/** A plain value with the secrets taken out of all texts in it; keys stay. */
export function redactTexts<Value>(value: Value, redact: Redact): Value {
  if (typeof value === 'string') return redact(value) as Value;
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, redact)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, redactTexts(member, redact)]);
  return Object.fromEntries(members) as Value;
}

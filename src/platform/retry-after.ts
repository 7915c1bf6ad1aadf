/** Milliseconds. Nobody is to be told to wait longer than that. */
const LONGEST_WAIT = 3_600_000;

/** Milliseconds to wait by a `Retry-After` header, which has seconds or a date; undefined for none that can be read. */
export function retryAfterMs(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) && wait >= 0 ? Math.min(wait, LONGEST_WAIT) : undefined;
}

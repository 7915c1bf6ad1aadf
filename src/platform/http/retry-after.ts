/** Milliseconds. Nobody is to be told to wait longer than that. */
const LONGEST_WAIT = 3_600_000;

/** What the header `Retry-After` asks for, in milliseconds: it has seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | readonly string[] | undefined, now: number): number | undefined {
  const text = (typeof header === 'string' ? header : header?.[0])?.trim();
  if (!text) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT) : undefined;
}

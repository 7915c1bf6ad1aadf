const FINE_DURATION = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Seconds of any duration as Go writes it (`1.5s`, `500ms`, `1h30m`), or of a plain number. Undefined for anything else. */
export function secondsOf(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (!FINE_DURATION.test(text)) return undefined;
  const parts = [...text.matchAll(PART)].map(([, number, unit = '']) => Number(number) * (SECONDS[unit] ?? 0));
  // Milliseconds are as fine as it gets; sums of fractions are not exact.
  return Math.round(parts.reduce((sum, part) => sum + part, 0) * 1000) / 1000;
}

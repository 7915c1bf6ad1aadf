import { randomBytes } from 'node:crypto';

/**
 * The trace of an alert in the form of W3C Trace Context, for those who are called because of it: what they record of their work
 * is found by the trace id that Talon logs.
 *
 * @param traceId 32 hexadecimal digits; undefined for what is none
 */
export function traceParent(traceId: string | undefined): string | undefined {
  if (!traceId || !/^[0-9a-f]{32}$/.test(traceId) || /^0+$/.test(traceId)) return undefined;
  // Talon has no spans yet; whoever goes on with the trace needs some parent.
  const parent = randomBytes(8);
  parent[0] = (parent[0] ?? 0) | 1;
  return `00-${traceId}-${parent.toString('hex')}-01`;
}

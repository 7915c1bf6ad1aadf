import { randomFillSync } from 'node:crypto';

/** W3C Trace Context: version, trace id, parent id, flags; a later version may add more behind a dash. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const POOL_BYTES = 4_096;
const ID_BYTES = 16;

/** The trace id of a `traceparent` header, or undefined when the header is absent or invalid. */
export function traceIdOf(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId = '', parentId = '', , rest] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  return /^0+$/.test(traceId) || /^0+$/.test(parentId) ? undefined : traceId;
}

/**
 * Makes random trace ids, 32 lower-case hex digits. Random bytes are fetched in advance, since a fetch for each id would take
 * longer than the evaluation of the rules.
 */
export function createTraceIds(): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let next = POOL_BYTES;
  return () => {
    if (next >= POOL_BYTES) {
      randomFillSync(pool);
      next = 0;
    }
    const id = pool.toString('hex', next, next + ID_BYTES);
    next += ID_BYTES;
    return id;
  };
}

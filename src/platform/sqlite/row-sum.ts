import { crc32 } from 'node:zlib';

/** Columns of a row, in their order, without the sum itself. */
export type Columns = readonly (string | number | Uint8Array)[];

/**
 * The checksum that each row of the journal carries: SQLite notices damage to the shape of its file, but not a flipped bit
 * inside a value. Guards against accidents of disks, not against people.
 */
export function rowSum(columns: Columns): number {
  let sum = 0;
  for (const column of columns) {
    const bytes = typeof column === 'number' ? String(column) : column;
    // Something between them, so that what moves from one column to the next is noticed.
    sum = crc32(';', crc32(bytes, sum));
  }
  return sum;
}

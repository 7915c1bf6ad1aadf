import { crc32 } from 'node:zlib';

/** Columns of a row, in their order, without the sum itself; bytes only where the column is no text. */
export type Columns = readonly (string | number | Uint8Array)[];

/**
 * The checksum that each row of the journal carries: SQLite notices damage to the shape of its file, but not a flipped bit
 * inside a value. Guards against accidents of disks, not against people.
 */
export function rowSum(columns: Columns): number {
  let text = '';
  let sum = 0;
  for (const column of columns) {
    if (typeof column === 'object') sum = crc32(column, sum);
    // Something between them, so that what moves from one column to the next is noticed.
    else text += `;${column}`;
  }
  return crc32(text, sum);
}

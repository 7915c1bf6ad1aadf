import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 1024 * 1024;

/**
 * The bytes of a file, but not more than one above a limit: who gets them sees that there are too many. So a huge file costs
 * no memory, and a device without an end (`/dev/zero`) no time. Throws what the operating system says.
 */
export function readUpTo(file: string, limit: number): Buffer {
  const parts: Buffer[] = [];
  const descriptor = openSync(file, 'r');
  try {
    for (let rest = limit + 1; rest > 0; rest -= parts.at(-1)?.length ?? 0) {
      const part = Buffer.allocUnsafe(Math.min(rest, CHUNK));
      const length = readSync(descriptor, part);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
  return Buffer.concat(parts);
}

/** What the operating system says about a file: `no such file or directory`. */
export function fileProblem(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/^EISDIR:/.test(text)) return 'is a directory';
  return /^E[A-Z]+: ([^,]+)/.exec(text)?.[1] ?? text;
}

import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { TalonError } from '../../model/talon-error.ts';

export interface ArchiveLimits {
  /** Bytes of the compressed file, and of all that comes out of it. */
  readonly packed: number;
  readonly unpacked: number;
  readonly entries: number;
}

/**
 * The files of a bundle (tar.gz) by name, in their order; directories are left out. Refuses what is corrupt, truncated or
 * too large, and names that are not absolute, climb or occur twice.
 *
 * @throws TalonError('bundle') with the reason
 */
export async function readArchive(bytes: Uint8Array, limits: ArchiveLimits): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let entries = 0;
  try {
    const archive = Readable.from([unzip(bytes, limits)], { objectMode: false }).pipe(extract());
    for await (const entry of archive) {
      const { name, type } = entry.header;
      if (++entries > limits.entries) throw refused(`it has more than ${limits.entries} entries`);
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      checkName(name);
      if (type === 'directory') continue;
      if (type !== 'file') throw refused(`the entry ${quoted(name)} is a ${type}, not a file`);
      if (files.has(name)) throw refused(`the entry ${quoted(name)} occurs twice`);
      files.set(name, Buffer.concat(parts));
    }
  } catch (error) {
    if (error instanceof TalonError) throw error;
    throw refused(`the archive is corrupt: ${reasonOf(error)}`, error);
  }
  return files;
}

function unzip(bytes: Uint8Array, limits: ArchiveLimits): Buffer {
  if (bytes.length > limits.packed) throw refused(`it has more than ${limits.packed} bytes`);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw refused('it is not a gzip file');
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.unpacked });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') throw refused(`it unpacks to more than ${limits.unpacked} bytes`, error);
    if (code === 'Z_BUF_ERROR') throw refused('it is truncated', error);
    throw refused(`it is corrupt: ${reasonOf(error)}`, error);
  }
}

function checkName(name: string): void {
  const steps = name.replace(/\/$/, '').split('/');
  if (steps[0] !== '') throw refused(`the entry ${quoted(name)} does not start with a slash`);
  const wrong = steps.slice(1).some((step) => step === '' || step === '.' || step === '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (wrong || /[\0-\x1f\\]/.test(name)) throw refused(`the entry ${quoted(name)} has a name that is not allowed`);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refused(reason: string, cause?: unknown): TalonError {
  return new TalonError('bundle', `the bundle is refused: ${reason}`, { cause });
}

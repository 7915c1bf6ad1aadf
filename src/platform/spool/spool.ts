import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream, type ReadStream } from 'node:fs';
import { chmod, type FileHandle, lstat, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Artifact } from '../../model/outcome.ts';
import { TalonError } from '../../model/talon-error.ts';
import { makeFolder } from '../files/make-folder.ts';

export interface SpoolOptions {
  readonly folder: string;
  /** Bytes of all artifacts at once. */
  readonly maxBytes: number;
  /** Bytes of one artifact. */
  readonly maxArtifactBytes?: number;
  /** Bytes of the disk that are left to others: the journal stands there too as a rule, and nothing goes on without it. */
  readonly minFreeBytes?: number;
}

const MAX_ARTIFACT_BYTES = 512 * 2 ** 20;
/** Bytes after which it is looked again how much of the disk is left. */
const LOOK_AFTER = 2 ** 20;
const FILE = /^[0-9a-f]{32}\.artifact$/;
const HANDLE = /^[0-9a-f]{32}$/;
/** Bytes of UTF-8 that a file system takes for a name, and no more of a media type. */
const LONGEST_NAME = 255;
const NO_NAME = new Set(['', '.', '..']);

/**
 * The folder in which artifacts wait for their output: they never enter the memory of this process as a whole, and never the
 * sandbox. Nobody else can read them, they have a limit of size, and what no open plan needs is not left behind.
 */
export class Spool implements ArtifactSpool {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #maxArtifactBytes: number;
  readonly #minFreeBytes: number;
  /** Bytes by handle, of artifacts that are complete. */
  readonly #sizes = new Map<string, number>();
  /** Handles of artifacts that are being written. */
  readonly #begun = new Set<string>();
  #bytes = 0;
  /** Bytes that were written since the last look at the disk. */
  #unseen = 0;

  private constructor({ folder, maxBytes, maxArtifactBytes = MAX_ARTIFACT_BYTES, minFreeBytes = 0 }: SpoolOptions) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#maxArtifactBytes = maxArtifactBytes;
    this.#minFreeBytes = minFreeBytes;
  }

  /**
   * Makes the folder where it is not there. What an earlier server left in it stays until `keepOnly` says what of it is needed.
   *
   * @throws TalonError of code `config` when it cannot be used
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { folder } = options;
    try {
      makeFolder(folder);
      const { uid, mode } = await lstat(folder).then(ownFolder);
      if (uid !== process.getuid?.()) throw new Error('it belongs to another user');
      if ((mode & 0o077) !== 0) await chmod(folder, 0o700);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TalonError('config', `the spool folder '${folder}' (spool.path) cannot be used: ${reason}`, {
        cause: error,
      });
    }
    return new Spool(options);
  }

  /**
   * Writes an artifact.
   *
   * @throws DoorError: `door` for a name that is none, `refused` for too large an artifact, `busy` when the spool or the disk
   *   is full; and what the source throws. Nothing is kept then.
   */
  async write(name: string, mediaType: string, source: AsyncIterable<Uint8Array>): Promise<Artifact> {
    checkName(name);
    if (mediaType.length > LONGEST_NAME) throw new DoorError('door', 'malformed argument: a media type');
    const handle = randomBytes(16).toString('hex');
    this.#begun.add(handle);
    try {
      return await this.#fill(handle, name, mediaType, source);
    } finally {
      this.#begun.delete(handle);
    }
  }

  async #fill(handle: string, name: string, mediaType: string, source: AsyncIterable<Uint8Array>): Promise<Artifact> {
    await this.#checkDisk();
    const hash = createHash('sha256');
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    const file = await open(this.#fileOf(handle), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600).catch(cannotWrite);
    let size = 0;
    try {
      for await (const chunk of source) {
        this.#reserve(name, size, chunk.length);
        size += chunk.length;
        hash.update(chunk);
        await writeAll(file, chunk).catch(cannotWrite);
        this.#unseen += chunk.length;
        if (this.#unseen >= LOOK_AFTER) await this.#checkDisk();
      }
      // Before anybody records that it is there.
      await file.datasync().catch(cannotWrite);
    } catch (error) {
      this.#bytes -= size;
      await file.close();
      await rm(this.#fileOf(handle), { force: true });
      throw error;
    }
    await file.close();
    this.#sizes.set(handle, size);
    return { handle, name, size, sha256: hash.digest('hex'), mediaType };
  }

  /** Removes all artifacts but these and those that were written since the start: what an earlier server left, and nobody needs. */
  async keepOnly(handles: Iterable<string>): Promise<void> {
    const needed = new Set(handles);
    const left = (await readdir(this.#folder)).filter((name) => FILE.test(name));
    for (const name of left) {
      const handle = name.slice(0, name.indexOf('.'));
      if (this.#sizes.has(handle) || this.#begun.has(handle)) continue;
      const file = path.join(this.#folder, name);
      if (needed.has(handle)) this.#take(handle, (await stat(file)).size);
      else await rm(file, { force: true });
    }
  }

  #take(handle: string, size: number): void {
    this.#sizes.set(handle, size);
    this.#bytes += size;
  }

  /** Whether the artifact is there. */
  has(handle: string): boolean {
    return this.#sizes.has(handle);
  }

  /** The bytes of an artifact. */
  read(handle: string): ReadStream {
    if (!this.#sizes.has(handle)) throw new DoorError('door', 'the artifact is not in the spool');
    return createReadStream(this.#fileOf(handle));
  }

  /** Removes an artifact; does nothing for one that is not there. */
  async remove(handle: string): Promise<void> {
    this.#bytes -= this.#sizes.get(handle) ?? 0;
    if (this.#sizes.delete(handle)) await rm(this.#fileOf(handle), { force: true });
  }

  #reserve(name: string, size: number, more: number): void {
    if (size + more > this.#maxArtifactBytes) {
      throw new DoorError('refused', `the artifact '${name}' is larger than ${this.#maxArtifactBytes} bytes`);
    }
    if (this.#bytes + more > this.#maxBytes) throw new DoorError('busy', 'the spool is full');
    this.#bytes += more;
  }

  async #checkDisk(): Promise<void> {
    if (this.#minFreeBytes === 0) return;
    this.#unseen = 0;
    const { bavail, bsize, blocks } = await statfs(this.#folder).catch(cannotWrite);
    const free = bavail * bsize;
    // Some file systems do not say how large they are.
    if (blocks === 0 || free >= this.#minFreeBytes) return;
    throw new DoorError('busy', `the disk of the spool has ${free} bytes left, fewer than spool.min_free_bytes`);
  }

  #fileOf(handle: string): string {
    if (!HANDLE.test(handle)) throw new DoorError('door', 'the artifact is not in the spool');
    return path.join(this.#folder, `${handle}.artifact`);
  }
}

function ownFolder<T extends { isDirectory(): boolean }>(stats: T): T {
  // A link could lead into the folder of somebody else.
  if (!stats.isDirectory()) throw new Error('it is not a folder');
  return stats;
}

/** A name without a path: outputs make keys and files of it. */
function checkName(name: string): void {
  const printable = [...name].every((character) => character >= ' ' && character !== '\u007f');
  if (!printable || NO_NAME.has(name) || /[/\\]/.test(name) || Buffer.byteLength(name) > LONGEST_NAME) {
    throw new DoorError('door', 'malformed argument: the name of an artifact');
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}

function cannotWrite(error: unknown): never {
  const { code = 'an error' } = error as NodeJS.ErrnoException;
  throw new DoorError('busy', `the spool cannot be written: ${code}`, { cause: error });
}

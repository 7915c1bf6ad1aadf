import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, link, lstat, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { ArtifactTarget, StoreTarget } from '../../model/targets.ts';
import { wholeArtifact } from '../whole-artifact.ts';
import { checkRoom, Leftovers } from './folder-room.ts';

/** Bytes that file systems take for a name. */
const LONGEST_NAME = 255;
const SAFE_NAME = /^[A-Za-z0-9._-]{1,255}$/;
/** What may pass by itself. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'ENOMEM']);
const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** What file systems say that have no links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The door to folders, and the look at one of them. */
export interface FileStore {
  readonly adapters: AdaptersOf<'files'>;
  /** @throws DoorError for a folder that cannot take artifacts */
  readonly checkStore: (store: StoreTarget, signal: AbortSignal) => Promise<void>;
}

/**
 * The door that writes artifacts as files. They appear as a whole or not at all, only the user of this process can read them, and
 * nothing that is there already is changed: another artifact of the same key gets a name with a part of its sum at the end.
 *
 * @param spool where the artifacts are
 * @param maxBytes of all files of a folder; 0: no limit
 */
export function createFileStore(spool: ArtifactSpool, maxBytes = 0): FileStore {
  const leftovers = new Leftovers();
  return {
    adapters: fileDoors(spool, maxBytes, leftovers),
    checkStore: async (store, signal) => {
      await checkFolder(store, signal);
      await leftovers.removeFrom(store.name);
      await checkRoom(store.name, maxBytes, 1);
    },
  };
}

function fileDoors(spool: ArtifactSpool, maxBytes: number, leftovers: Leftovers): AdaptersOf<'files'> {
  return {
    'files.put': async (store, artifact, key, signal) => {
      if (!SAFE_NAME.test(key) || /^\.+$/.test(key)) {
        throw new DoorError('door', 'malformed argument: the key of a file');
      }
      await checkFolder(store, signal);
      await leftovers.removeFrom(store.name);
      const folder = store.name.endsWith('/') ? store.name.slice(0, -1) : store.name;
      const part = path.join(store.name, `.talon-${randomBytes(12).toString('hex')}.part`);
      try {
        // What an earlier try wrote needs no room.
        const stored = await nameOfStored(store.name, key, artifact);
        if (stored !== undefined) return `${folder}/${stored}`;
        await checkRoom(store.name, maxBytes, artifact.size);
        await writePart(part, wholeArtifact(spool, artifact), signal);
        const name = await publish(part, store.name, key, artifact);
        return `${folder}/${name}`;
      } catch (error) {
        throw failureOf(error, store, signal);
      } finally {
        await rm(part, { force: true }).catch(() => undefined);
      }
    },
  };
}

/**
 * Whether artifacts can be written into a folder.
 *
 * @throws DoorError, Falco Talon's text for a folder that is not there
 */
async function checkFolder(store: StoreTarget, signal: AbortSignal): Promise<void> {
  const { name: folder } = store;
  try {
    if (!(await stat(folder)).isDirectory()) throw new DoorError('refused', `'${folder}' is not a folder`);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw failureOf(error, store, signal);
  }
}

async function writePart(file: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(file, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      await writeAll(handle, chunk);
    }
    // A full disk may only be noticed here, and what is said to be kept should outlast a crash.
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done)).bytesWritten;
}

/** Gives a complete file its name, and returns that. */
async function publish(part: string, folder: string, key: string, artifact: ArtifactTarget): Promise<string> {
  const names = namesOf(key, artifact);
  for (const name of names) {
    const file = path.join(folder, name);
    if (await named(part, file)) return name;
    if (await holds(file, artifact)) return name;
  }
  throw new DoorError('refused', `there are other files of the names '${names.join("' and '")}' already`);
}

/** The names that an artifact may get, the first one first. */
function namesOf(key: string, { sha256 }: ArtifactTarget): readonly string[] {
  const end = `-${sha256.slice(0, 16)}`;
  return [key, key.slice(0, LONGEST_NAME - end.length) + end];
}

/** The name by which a folder has this artifact already. */
async function nameOfStored(folder: string, key: string, artifact: ArtifactTarget): Promise<string | undefined> {
  for (const name of namesOf(key, artifact)) {
    if (await holds(path.join(folder, name), artifact)) return name;
  }
  return undefined;
}

/** Whether the file got the name: nobody had it. */
async function named(part: string, file: string): Promise<boolean> {
  try {
    await link(part, file);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!NO_LINKS.has(code)) throw error;
  }
  const taken = await lstat(file).catch(() => undefined);
  if (!taken) await rename(part, file);
  return !taken;
}

/** Whether a file is this artifact already: an earlier try got so far. */
async function holds(file: string, { size, sha256 }: ArtifactTarget): Promise<boolean> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (!handle) return false;
  const hash = createHash('sha256');
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size !== size) return false;
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
  } finally {
    await handle.close();
  }
  return hash.digest('hex') === sha256;
}

function failureOf(error: unknown, { name: folder }: StoreTarget, signal: AbortSignal): DoorError {
  if (error instanceof DoorError) return error;
  if (signal.aborted) return new DoorError('deadline', 'given up before it was done', { cause: error });
  const { code = '', message, syscall, path: where = folder } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === 'ENOENT' && where.startsWith(folder))
    return new DoorError('refused', `folder '${folder}' does not exist`, options);
  if (code === 'ENOTDIR') return new DoorError('refused', `'${folder}' is not a folder`, options);
  if (FULL.has(code)) return new DoorError('busy', `the disk of the folder '${folder}' is full`, options);
  const reason = syscall ? `${syscall} failed with ${code}` : message;
  return new DoorError(
    PASSING.has(code) ? 'busy' : 'refused',
    `the folder '${folder.slice(0, 300)}' cannot be written: ${reason}`,
    options,
  );
}

import { type FSWatcher, statSync, watch } from 'node:fs';
import path from 'node:path';
import { pathEntries } from './path-entries.ts';

export interface FolderWatchOptions {
  /** One of the files may have changed, or be reached by another way now. */
  readonly onHint: () => void;
  /** A folder cannot be watched: told once for each reason. */
  readonly onFault: (reason: string) => void;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Device and inode: another folder may come to stand under the same name. */
  readonly identity: string;
  names: ReadonlySet<string>;
}

/**
 * Hears from the file system of changes that may concern some files. It watches the folders on their ways, never the files
 * themselves: a watch of a file ends unnoticed when the file is replaced. What it hears are hints; news may be lost, so that
 * who needs to be sure looks from time to time as well.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #faults = new Set<string>();

  constructor(options: FolderWatchOptions) {
    this.#options = options;
  }

  /** Watches for these files and no others. To be called after each hint too, because the ways may be others then. */
  aim(files: Iterable<string>): void {
    const wanted = foldersOf(files);
    for (const folder of this.#watched.keys()) {
      if (!wanted.has(folder)) this.#drop(folder);
    }
    for (const [folder, names] of wanted) this.#watch(folder, names);
  }

  close(): void {
    for (const folder of [...this.#watched.keys()]) this.#drop(folder);
  }

  #watch(folder: string, names: ReadonlySet<string>): void {
    const identity = identityOf(folder);
    const known = this.#watched.get(folder);
    if (known && known.identity === identity) {
      known.names = names;
      return;
    }
    this.#drop(folder);
    if (identity === undefined) return;
    try {
      const watcher = watch(folder, { persistent: false });
      this.#watched.set(folder, { watcher, identity, names });
      watcher.on('change', (_kind, name) => this.#changed(folder, name === null ? null : String(name)));
      watcher.on('error', (error) => this.#failed(folder, error));
    } catch (error) {
      this.#failed(folder, error as Error);
    }
  }

  #changed(folder: string, name: string | null): void {
    // So the system calls the folder itself, when it is moved or deleted.
    const itself = name === path.basename(folder);
    if (itself) this.#drop(folder);
    if (itself || name === null || this.#watched.get(folder)?.names.has(name)) this.#options.onHint();
  }

  #failed(folder: string, error: NodeJS.ErrnoException): void {
    this.#drop(folder);
    const reason = `cannot watch ${folder}: ${error.code ?? error.message}`;
    if (error.code === 'ENOENT' || this.#faults.has(reason)) return;
    this.#faults.add(reason);
    this.#options.onFault(reason);
  }

  #drop(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }
}

function foldersOf(files: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { folder, name } of pathEntries(file)) {
      const names = folders.get(folder);
      if (names) names.add(name);
      else folders.set(folder, new Set([name]));
    }
  }
  return folders;
}

function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

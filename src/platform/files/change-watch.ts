import { FolderWatch } from './folder-watch.ts';

export interface ChangeWatchOptions {
  /** The files to watch at the moment. */
  readonly files: () => Iterable<string>;
  /** Looks at the files. @returns a text that stands for what they hold, or undefined when there is nothing to do about it */
  readonly look: () => string | undefined;
  /** Something changed and stays as it is by now. Further changes are told of after it is done. Does not reject. */
  readonly onSettled: () => Promise<void>;
  /** News of the file system cannot be had from a folder. */
  readonly onFault: (reason: string) => void;
  /** Milliseconds without a change after which files count as written to their end. */
  readonly quiet: number;
  /** Milliseconds between looks that happen whatever the file system tells. */
  readonly poll: number;
}

/**
 * Tells when files have changed and are at rest again. Only what they hold counts: they are looked at after each hint of the
 * file system, and from time to time without one, and a change counts once two looks, a quiet time apart, see the same. So a
 * file that is emptied and then written, as most programs save it, is not taken for an empty one.
 */
export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  readonly #folders: FolderWatch;
  #seen: string | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #busy = false;

  constructor(options: ChangeWatchOptions) {
    this.#options = options;
    this.#folders = new FolderWatch({ onHint: () => this.#soon(), onFault: options.onFault });
  }

  /** Begins with a look, because files may have changed since somebody read them. */
  start(): void {
    this.#poll = setInterval(() => this.#look(), this.#options.poll);
    this.#poll.unref();
    this.#look();
  }

  stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#quiet);
    this.#poll = undefined;
    this.#folders.close();
  }

  #soon(): void {
    clearTimeout(this.#quiet);
    if (this.#poll === undefined) return;
    this.#quiet = setTimeout(() => this.#look(), this.#options.quiet);
    this.#quiet.unref();
  }

  #look(): void {
    if (this.#busy || this.#poll === undefined) return;
    // Before the look, so that what happens after it is heard of.
    this.#folders.aim(this.#options.files());
    const seen = this.#options.look();
    const settled = seen !== undefined && seen === this.#seen;
    this.#seen = settled ? undefined : seen;
    if (settled) void this.#tell();
    else if (seen !== undefined) this.#soon();
  }

  async #tell(): Promise<void> {
    this.#busy = true;
    await this.#options.onSettled();
    this.#busy = false;
    this.#soon();
  }
}

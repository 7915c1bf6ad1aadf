import { hash } from 'node:crypto';

/** What a file holds, or why it cannot be read. */
export type FileContent = Uint8Array | string | { readonly problem: string };

/** The files that something was made from, and what each held when it was read. */
export class InputFiles {
  readonly #files = new Map<string, { readonly read: () => FileContent; readonly digest: string }>();

  /** Reads a file and remembers what it held, also that it could not be read. `read` does not throw. */
  read<T extends FileContent>(file: string, read: () => T): T {
    const content = read();
    // Read once more, it may hold something else by now: then what was made of it is out of date.
    if (!this.#files.has(file)) this.#files.set(file, { read, digest: digestOf(content) });
    return content;
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Reads the files again. @returns digests of what they hold now, by their paths */
  look(): ReadonlyMap<string, string> {
    return new Map([...this.#files].map(([file, { read }]) => [file, digestOf(read())]));
  }

  /** Whether all files held the same when they were read as they do now. */
  holds(now: ReadonlyMap<string, string>): boolean {
    return [...this.#files].every(([file, { digest }]) => now.get(file) === digest);
  }
}

function digestOf(content: FileContent): string {
  if (typeof content === 'string' || content instanceof Uint8Array) return hash('sha256', content);
  return `cannot be read: ${content.problem}`;
}

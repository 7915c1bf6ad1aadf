import { mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Files laid out as the kubelet lays out a ConfigMap: links into a folder that is replaced as a whole by renaming a link. */
export class ConfigMap {
  readonly #folder: string;

  constructor(folder: string, files: Readonly<Record<string, string>>) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    symlinkSync(this.#write(files), join(folder, '..data'));
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name));
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Other content for the same files, all at once. */
  swap(files: Readonly<Record<string, string>>): void {
    const before = readlinkSync(join(this.#folder, '..data'));
    symlinkSync(this.#write(files), join(this.#folder, '..data_tmp'));
    renameSync(join(this.#folder, '..data_tmp'), join(this.#folder, '..data'));
    rmSync(join(this.#folder, before), { recursive: true });
  }

  #write(files: Readonly<Record<string, string>>): string {
    const folder = mkdtempSync(join(this.#folder, '..2026_01_01_'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return basename(folder);
  }
}

import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type KeptProcess, startKept } from './cluster/kept-process.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { makeScratch, removeScratch } from './scratch.ts';

/** Mounts a small file system over the folder and stays, since it goes with the last process that sees it. */
const HOLD = `
mount -t tmpfs -o size="$1" tmpfs "$0"
echo mounted
exec sleep infinity
`;

/**
 * A disk of a few megabytes in memory, in a mount namespace of its own: programs see it when they are run `within`, the test
 * sees its files under `outside`, and nothing of it is left, however the test ends.
 */
export class SmallDisk {
  /** The path of its folder for programs that run on it. */
  readonly folder: string;
  /** The path of the same folder for everybody else. */
  readonly outside: string;
  /** The command that runs the program given after it where the disk can be seen. */
  readonly within: readonly string[];
  readonly #holder: KeptProcess;

  private constructor(folder: string, pid: number, holder: KeptProcess) {
    this.folder = folder;
    this.outside = join(`/proc/${pid}/root`, folder);
    this.within = ['nsenter', `--target=${pid}`, '--user', '--mount', '--preserve-credentials', '--'];
    this.#holder = holder;
  }

  /** @returns why there is none where this machine does not let the user mount anything */
  static async make(bytes: number): Promise<SmallDisk | string> {
    const folder = makeScratch();
    const output: string[] = [];
    const command = ['unshare', '--map-root-user', '--mount', '/bin/sh', '-e', '-c', HOLD, folder, String(bytes)];
    const holder = startKept('small disk', command, { onLine: (line) => output.push(line) });
    await waitUntil('the mount', () => output.length > 0 || !holder.running());
    const pid = holder.pid();
    if (output[0] === 'mounted' && pid !== undefined) return new SmallDisk(folder, pid, holder);
    await holder.stop('KILL');
    removeScratch(folder);
    return `a file system cannot be mounted here: ${output.join(' ')}`;
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.outside);
    return bavail * bsize;
  }

  /** Takes all the space that is left, but for so many bytes. */
  fill(leave = 0): void {
    const file = openSync(this.#filler, 'a');
    const page = Buffer.alloc(4096, 1);
    try {
      while (this.freeBytes() >= leave + page.length) writeSync(file, page);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fill` took. */
  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  async remove(): Promise<void> {
    await this.#holder.stop('KILL');
    removeScratch(this.folder);
  }

  get #filler(): string {
    return join(this.outside, 'filler');
  }
}

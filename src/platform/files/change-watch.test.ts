import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ChangeWatch } from './change-watch.ts';
import { InputFiles } from './input-files.ts';

const NEVER = 2 ** 31 - 1;

/** Watches one file; `loaded` grows by what the file held each time that it came to rest with something new. */
class Watching {
  readonly loaded: string[] = [];
  readonly faults: string[] = [];
  readonly file: string;
  readonly watch: ChangeWatch;
  looks = 0;
  /** Resolves while a change is handled. */
  handling: Promise<void> = Promise.resolve();
  #inputs = new InputFiles();

  constructor(file: string, { quiet = 30, poll = NEVER } = {}) {
    this.file = file;
    this.#load();
    this.loaded.length = 0;
    this.watch = new ChangeWatch({
      files: () => [file],
      look: () => {
        this.looks++;
        const now = this.#inputs.look();
        return this.#inputs.holds(now) ? undefined : [...now.values()].join();
      },
      onSettled: async () => {
        await this.handling;
        this.#load();
      },
      onFault: (reason) => this.faults.push(reason),
      quiet,
      poll,
    });
    this.watch.start();
  }

  #load(): void {
    this.#inputs = new InputFiles();
    const content = this.#inputs.read(this.file, () => {
      try {
        return readFileSync(this.file, 'utf8');
      } catch {
        return { problem: 'gone' };
      }
    });
    this.loaded.push(typeof content === 'string' ? content : `(${content.problem})`);
  }

  isUpToDate(): boolean {
    return this.#inputs.holds(this.#inputs.look());
  }

  /** Waits until the file was taken up with this content, and says whether nothing else was before. */
  async gets(...contents: string[]): Promise<void> {
    await expect.poll(() => this.loaded, { interval: 10 }).toEqual(contents);
    this.loaded.length = 0;
  }
}

/** Something that is done to a file of which there are versions in folders, with a link to the one that counts. */
type Act = (mount: string, version: string) => void;

const ACTS: readonly Act[] = [
  (mount, version) => writeFileSync(path.join(mount, 'now/rules.yaml'), `written ${version}`),
  (mount, version) => appendFileSync(path.join(mount, 'now/rules.yaml'), version),
  (mount) => rmSync(path.join(mount, 'now/rules.yaml')),
  (mount, version) => {
    symlinkSync(version, path.join(mount, 'next'));
    renameSync(path.join(mount, 'next'), path.join(mount, 'now'));
  },
  (mount, version) => {
    writeFileSync(path.join(mount, 'now/saved'), `saved ${version}`);
    renameSync(path.join(mount, 'now/saved'), path.join(mount, 'now/rules.yaml'));
  },
  (mount, version) => rmSync(path.join(mount, version), { recursive: true, force: true }),
  (mount, version) => mkdirSync(path.join(mount, version)),
  (mount, version) => renameSync(path.join(mount, version), path.join(mount, 'away')),
  (mount, version) => renameSync(path.join(mount, 'away'), path.join(mount, version)),
];

/** Not everything can be done at every moment. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The next step follows.
  }
}

describe('ChangeWatch', () => {
  let folder: string;
  let file: string;
  let watching: Watching;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-watch-'));
    file = path.join(folder, 'rules.yaml');
    writeFileSync(file, 'old');
  });
  afterEach(() => {
    watching.watch.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sees a file written in place, appended to and saved by rename, each time anew', async () => {
    watching = new Watching(file);
    writeFileSync(file, 'in place');
    await watching.gets('in place');
    appendFileSync(file, ', and more');
    await watching.gets('in place, and more');
    for (const content of ['renamed', 'renamed again']) {
      writeFileSync(`${file}.tmp`, content);
      renameSync(`${file}.tmp`, file);
      await watching.gets(content);
    }
    writeFileSync(file, 'after the renames');
    await watching.gets('after the renames');
  });

  it('does not take a file that is being written for an empty or half one', async () => {
    watching = new Watching(file, { quiet: 100 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    truncateSync(file);
    await expect.poll(() => vi.getTimerCount()).toBe(1);
    // Less than a quiet time passes between the parts, whatever the machine is busy with.
    for (const part of ['one ', 'two ', 'three']) {
      vi.advanceTimersByTime(99);
      appendFileSync(file, part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(watching.loaded).toEqual([]);
    const loaded = () => {
      vi.advanceTimersByTime(99);
      return watching.loaded;
    };
    await expect.poll(loaded).toEqual(['one two three']);
  });

  it('sees a file that is deleted and made again', async () => {
    watching = new Watching(file);
    rmSync(file);
    await watching.gets('(gone)');
    writeFileSync(file, 'back');
    await watching.gets('back');
    rmSync(file);
    writeFileSync(file, 'at once');
    await watching.gets('at once');
  });

  it('sees the swap of the link in a ConfigMap, again and again', async () => {
    const mount = path.join(folder, 'mount');
    mkdirSync(mount);
    const publish = (version: number, content: string) => {
      mkdirSync(path.join(mount, `..${version}`));
      writeFileSync(path.join(mount, `..${version}/rules.yaml`), content);
      symlinkSync(`..${version}`, path.join(mount, '..data_tmp'));
      renameSync(path.join(mount, '..data_tmp'), path.join(mount, '..data'));
      rmSync(path.join(mount, `..${version - 1}`), { recursive: true, force: true });
    };
    publish(1, 'first');
    symlinkSync('..data/rules.yaml', path.join(mount, 'rules.yaml'));
    watching = new Watching(path.join(mount, 'rules.yaml'));
    for (const version of [2, 3, 4]) {
      publish(version, `version ${version}`);
      await watching.gets(`version ${version}`);
    }
  });

  it('sees that a folder on the way is replaced by way of a link', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, 'rules.yaml'), name);
    }
    symlinkSync('one', path.join(folder, 'current'));
    watching = new Watching(path.join(folder, 'current/rules.yaml'));
    symlinkSync('two', path.join(folder, 'next'));
    renameSync(path.join(folder, 'next'), path.join(folder, 'current'));
    await watching.gets('two');
    writeFileSync(path.join(folder, 'two/rules.yaml'), 'two, changed');
    await watching.gets('two, changed');
  });

  it.each([
    ['moved away', (from: string) => renameSync(from, `${from}-away`)],
    ['deleted', (from: string) => rmSync(from, { recursive: true })],
  ])('sees a folder that is %s and comes back', async (_, remove) => {
    const inner = path.join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(path.join(inner, 'rules.yaml'), 'old');
    watching = new Watching(path.join(inner, 'rules.yaml'));
    for (const content of ['first return', 'second return']) {
      remove(inner);
      await watching.gets('(gone)');
      rmSync(`${inner}-away`, { recursive: true, force: true });
      mkdirSync(inner);
      writeFileSync(path.join(inner, 'rules.yaml'), content);
      await watching.gets(content);
    }
    writeFileSync(path.join(inner, 'rules.yaml'), 'written');
    await watching.gets('written');
  });

  it('says nothing of other files, nor of one that is written with what it holds', async () => {
    watching = new Watching(file);
    const { looks } = watching;
    writeFileSync(path.join(folder, 'other.yaml'), 'x');
    writeFileSync(file, 'old');
    await expect.poll(() => watching.looks).toBeGreaterThan(looks);
    writeFileSync(file, 'new');
    await watching.gets('new');
  });

  it('needs no news of the file system', async () => {
    const inner = path.join(folder, 'inner');
    // The watch of this file goes to a folder above: nothing is heard of what is moved still further up.
    mkdirSync(path.join(inner, 'deep'), { recursive: true });
    writeFileSync(path.join(inner, 'deep/rules.yaml'), 'old');
    mkdirSync(path.join(folder, 'other/deep'), { recursive: true });
    writeFileSync(path.join(folder, 'other/deep/rules.yaml'), 'other');
    watching = new Watching(path.join(inner, 'deep/rules.yaml'), { poll: 50 });
    renameSync(inner, path.join(folder, 'away'));
    renameSync(path.join(folder, 'other'), inner);
    await watching.gets('other');
  });

  it('sees what changed before it began, and what changes while a change is handled', async () => {
    let finish = () => {};
    watching = new Watching(file);
    watching.handling = new Promise((resolve) => {
      finish = resolve;
    });
    const { looks } = watching;
    writeFileSync(file, 'first');
    await expect.poll(() => watching.looks).toBeGreaterThanOrEqual(looks + 2);
    writeFileSync(file, 'second');
    watching.handling = Promise.resolve();
    finish();
    await expect.poll(() => watching.loaded.at(-1)).toBe('second');
  });

  it('ends with what the file holds, whatever was done to it', async () => {
    const version = fc.integer({ min: 0, max: 3 });
    const step = fc.record({ act: fc.constantFrom(...ACTS), version, pause: fc.integer({ min: 0, max: 12 }) });
    const run = async (steps: readonly { act: Act; version: number; pause: number }[]) => {
      const mount = mkdtempSync(path.join(folder, 'run-'));
      for (const name of [0, 1, 2, 3]) {
        mkdirSync(path.join(mount, `${name}`));
        writeFileSync(path.join(mount, `${name}/rules.yaml`), `version ${name}`);
      }
      symlinkSync('0', path.join(mount, 'now'));
      watching = new Watching(path.join(mount, 'now/rules.yaml'), { quiet: 5 });
      for (const { act, version, pause } of steps) {
        attempt(() => act(mount, `${version}`));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      await expect.poll(() => watching.isUpToDate(), { interval: 5 }).toBe(true);
      watching.watch.stop();
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), run), { numRuns: 40 });
  });

  it('is silent after its end', async () => {
    watching = new Watching(file);
    watching.watch.stop();
    const { looks } = watching;
    const second = new Watching(file);
    writeFileSync(file, 'new');
    await second.gets('new');
    second.watch.stop();
    expect(watching.looks).toBe(looks);
    expect(watching.loaded).toEqual([]);
  });
});

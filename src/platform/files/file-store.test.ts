import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import { DoorError } from '../../model/door-error.ts';
import type { ArtifactTarget, StoreTarget } from '../../model/targets.ts';
import { createFileStore } from './file-store.ts';

const KEY = '2024-09-05T14-52-10Z_shop_web_log';
const { signal } = new AbortController();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'talon-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const store = (name = folder): StoreTarget => ({ kind: 'store', category: 'local', name, prefix: '', region: '' });

function artifact(content: string): ArtifactTarget {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return {
    ...{ kind: 'artifact', handle: content, name: 'log', mediaType: 'text/plain' },
    ...{ size: content.length, sha256 },
  };
}

/** A spool whose handles are the contents; each comes in two pieces. */
const spool: ArtifactSpool = {
  write: () => Promise.reject(new Error('nothing is written')),
  async *read(handle) {
    yield Buffer.from(handle.slice(0, 3));
    yield Buffer.from(handle.slice(3));
  },
};

const put = (content: string, to = store(), key = KEY, until = signal) =>
  createFileStore(spool).adapters['files.put'](to, artifact(content), key, until);

const checkFolder = (...given: Parameters<ReturnType<typeof createFileStore>['checkStore']>) =>
  createFileStore(spool).checkStore(...given);

describe('files.put', () => {
  it.each(['', '/'])('writes a file that nobody else can read, into a folder that ends with %j', async (end) => {
    expect(await put('some lines', store(folder + end))).toBe(`${folder}/${KEY}`);
    expect(readFileSync(path.join(folder, KEY), 'utf8')).toBe('some lines');
    expect(statSync(path.join(folder, KEY)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([KEY]);
  });

  it('takes a second try of the same artifact for the first', async () => {
    await put('some lines');
    expect(await put('some lines')).toBe(`${folder}/${KEY}`);
    expect(readdirSync(folder)).toEqual([KEY]);
  });

  it('keeps another artifact of the same key beside the first', async () => {
    await put('some lines');
    const end = createHash('sha256').update('others').digest('hex').slice(0, 16);
    expect(await put('others')).toBe(`${folder}/${KEY}-${end}`);
    expect(await put('others')).toBe(`${folder}/${KEY}-${end}`);
    expect(readFileSync(path.join(folder, KEY), 'utf8')).toBe('some lines');
    const long = 'x'.repeat(255);
    await put('some lines', store(), long);
    expect(path.basename(await put('others', store(), long))).toBe(`${'x'.repeat(238)}-${end}`);
  });

  it('follows no link that has the name already', async () => {
    const target = path.join(folder, 'target');
    await symlink(target, path.join(folder, KEY));
    expect(await put('some lines')).not.toBe(`${folder}/${KEY}`);
    expect(existsSync(target)).toBe(false);
  });

  it.each(['../escaped', 'a/b', '..', '.', '', 'a\0b', 'a\nb', 'é', 'x'.repeat(256)])(
    'refuses the key %j',
    async (key) => {
      await expect(put('some lines', store(), key)).rejects.toMatchObject({ code: 'door' });
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('leaves nothing behind when it is given up, or when the source fails', async () => {
    await expect(put('some lines', store(), KEY, AbortSignal.abort())).rejects.toMatchObject({ code: 'deadline' });
    const broken: ArtifactSpool = {
      ...spool,
      async *read() {
        yield Buffer.from('abc');
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
      },
    };
    const written = createFileStore(broken).adapters['files.put'](store(), artifact('abc'), KEY, signal);
    await expect(written).rejects.toMatchObject({
      code: 'busy',
      message: 'the artifact cannot be read from the spool: EIO',
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('checkFolder', () => {
  it.each(['files.put', 'check'])('%s says what is wrong with a folder', async (door) => {
    const tried = (name: string) => (door === 'check' ? checkFolder(store(name), signal) : put('x', store(name)));
    const missing = path.join(folder, 'missing');
    await expect(tried(missing)).rejects.toEqual(new DoorError('refused', `folder '${missing}' does not exist`));
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    await expect(tried(file)).rejects.toEqual(new DoorError('refused', `'${file}' is not a folder`));
    await expect(tried(`${file}/below`)).rejects.toEqual(new DoorError('refused', `'${file}/below' is not a folder`));
    await expect(tried('a\0b')).rejects.toMatchObject({ code: 'refused' });
    await expect(tried(`/${'x'.repeat(1_000_000)}`)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/ENAMETOOLONG$/),
    });
  });

  it.skipIf(process.getuid?.() === 0)('refuses a folder that may not be written', async () => {
    const locked = path.join(folder, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o500);
    await expect(checkFolder(store(locked), signal)).rejects.toMatchObject({
      code: 'refused',
      message: `the folder '${locked}' cannot be written: access failed with EACCES`,
    });
  });

  it('lets a folder through', async () => {
    await expect(checkFolder(store(), signal)).resolves.toBeUndefined();
  });
});

describe('the room of a folder', () => {
  const limited = () => createFileStore(spool, 25);
  const putInto = (files: ReturnType<typeof createFileStore>, content: string, key: string) =>
    files.adapters['files.put'](store(), artifact(content), key, signal);

  it('is for so many bytes of files, and may be cleared', async () => {
    const files = limited();
    await putInto(files, 'twenty bytes of text', 'one');
    await symlink('/dev/null', path.join(folder, 'link'));
    const full = { code: 'busy', message: `the folder '${folder}' has 20 of 25 bytes: no room for 6 more` };
    await expect(putInto(files, 'others', 'two')).rejects.toMatchObject(full);
    await putInto(files, 'fives', 'two');
    await expect(files.checkStore(store(), signal)).rejects.toMatchObject({ code: 'busy' });
    await rm(path.join(folder, 'one'));
    await files.checkStore(store(), signal);
    expect(readdirSync(folder).sort()).toEqual(['link', 'two']);
  });

  it('is not needed again for what is there already', async () => {
    const files = limited();
    const big = 'twenty bytes of text';
    expect(await putInto(files, big, 'one')).toBe(`${folder}/one`);
    expect(await putInto(files, big, 'one')).toBe(`${folder}/one`);
    await putInto(files, 'fives', 'two');
    await writeFile(path.join(folder, 'two'), 'other');
    const renamed = await createFileStore(spool).adapters['files.put'](store(), artifact('fives'), 'two', signal);
    const before = readdirSync(folder);
    expect(await putInto(files, 'fives', 'two')).toBe(renamed);
    expect(readdirSync(folder)).toEqual(before);
    await expect(putInto(files, 'sixes!', 'one')).rejects.toMatchObject({ code: 'busy' });
    await expect(putInto(files, 'TWENTY bytes of text', 'one')).rejects.toMatchObject({ code: 'busy' });
  });

  it('is not taken by what a killed process left, which goes with the first look', async () => {
    const part = (digit: string) => path.join(folder, `.talon-${digit.repeat(24)}.part`);
    const names = [part('a'), part('b'), path.join(folder, '.talon-x.part')];
    for (const name of names) await writeFile(name, 'half');
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [part('a'), path.join(folder, '.talon-x.part')]) await utimes(name, old, old);
    await limited().checkStore(store(), signal);
    expect(names.map((name) => existsSync(name))).toEqual([false, true, true]);
  });
});

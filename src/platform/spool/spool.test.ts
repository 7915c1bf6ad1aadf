import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from './spool.ts';

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'talon-spool-'));
  folder = path.join(base, 'a/spool');
});
afterEach(() => rmSync(base, { recursive: true }));

const openSpool = (limits: { maxBytes?: number; maxArtifactBytes?: number } = {}) =>
  Spool.open({ folder, maxBytes: 1_000, ...limits });

async function* bytes(...sizes: readonly number[]) {
  for (const size of sizes) yield Buffer.alloc(size, 'x');
}
const modeOf = (file: string) => statSync(file).mode & 0o777;

describe('a spool', () => {
  it('keeps an artifact in a file that only its user can read', async () => {
    const spool = await openSpool();
    const artifact = await spool.write('capture.pcap', 'application/x', bytes(300, 0, 200));
    const content = Buffer.alloc(500, 'x');
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(artifact).toEqual({
      handle: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'capture.pcap',
      size: 500,
      sha256,
      mediaType: 'application/x',
    });
    const [file = ''] = readdirSync(folder);
    expect([modeOf(folder), modeOf(path.join(folder, file))]).toEqual([0o700, 0o600]);
    expect(Buffer.concat(await spool.read(artifact.handle).toArray())).toEqual(content);
  });

  it('leaves nothing behind when an artifact is removed, and none that it does not have', async () => {
    const spool = await openSpool();
    const { handle } = await spool.write('a', 'x', bytes(1_000));
    await spool.remove(handle);
    await spool.remove(handle);
    await spool.remove('../../etc/passwd');
    expect(readdirSync(folder)).toEqual([]);
    expect(() => spool.read(handle)).toThrow('the artifact is not in the spool');
    expect(() => spool.read('../a')).toThrow('the artifact is not in the spool');
    // The room is free again.
    await spool.write('b', 'x', bytes(1_000));
  });

  it('keeps of what an earlier one left only what is needed, and files of others', async () => {
    const earlier = await openSpool();
    const { handle } = await earlier.write('a', 'x', bytes(700));
    await earlier.write('b', 'x', bytes(300));
    writeFileSync(path.join(folder, 'mine.txt'), '');
    const spool = await openSpool();
    expect(spool.has(handle)).toBe(false);
    await spool.keepOnly([handle, '00000000000000000000000000000000']);
    expect(readdirSync(folder).sort()).toEqual([`${handle}.artifact`, 'mine.txt'].sort());
    expect(Buffer.concat(await spool.read(handle).toArray())).toHaveLength(700);
    await expect(spool.write('c', 'x', bytes(400))).rejects.toMatchObject({ message: 'the spool is full' });
  });

  it('keeps what is being written', async () => {
    const spool = await openSpool();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const source = async function* () {
      yield Buffer.from('a');
      await ended;
    };
    const written = spool.write('a', 'x', source());
    await expect.poll(() => readdirSync(folder)).toHaveLength(1);
    await spool.keepOnly([]);
    end();
    expect(Buffer.concat(await spool.read((await written).handle).toArray()).toString()).toBe('a');
  });
});

describe('what is too much', () => {
  it.each([
    ['refused', { maxArtifactBytes: 500 }, "the artifact 'a' is larger than 500 bytes"],
    ['busy', { maxBytes: 500 }, 'the spool is full'],
  ])('is %s, and nothing of it stays', async (code, limits, message) => {
    const spool = await openSpool(limits);
    await expect(spool.write('a', 'x', bytes(400, 200))).rejects.toMatchObject({ code, message });
    expect(readdirSync(folder)).toEqual([]);
    await spool.write('b', 'x', bytes(500));
  });

  it('leaves room on the disk to others, and nothing of what would take it', async () => {
    const { bavail, bsize } = statfsSync(base);
    const room = 3 * 2 ** 20;
    const spool = await Spool.open({ folder, maxBytes: 2 ** 30, minFreeBytes: bavail * bsize - room });
    const tooMuch = bytes(...Array.from({ length: 1_000 }, () => 2 ** 20));
    await expect(spool.write('a', 'x', tooMuch)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringMatching(/^the disk of the spool has \d+ bytes left, fewer than spool.min_free_bytes$/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('counts what is written side by side', async () => {
    const spool = await openSpool();
    const written = await Promise.allSettled(Array.from({ length: 5 }, () => spool.write('a', 'x', bytes(150, 150))));
    expect(written.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(3);
    const kept = readdirSync(folder).map((file) => statSync(path.join(folder, file)).size);
    expect(kept.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000);
  });
});

it('keeps nothing of an artifact whose source fails', async () => {
  const spool = await openSpool();
  const failing = async function* () {
    yield* bytes(100);
    throw new Error('the pod is gone');
  };
  await expect(spool.write('a', 'x', failing())).rejects.toThrow('the pod is gone');
  expect(readdirSync(folder)).toEqual([]);
  await spool.write('b', 'x', bytes(1_000));
});

it.each(['', '.', '..', '../a', 'a/b', '/etc/passwd', 'a\\b', 'a\0b', 'a\nb', 'x'.repeat(256), 'ä'.repeat(128)])(
  'takes no path for a name: %j',
  async (name) => {
    const spool = await openSpool();
    await expect(spool.write(name, 'x', bytes(1))).rejects.toMatchObject({ code: 'door' });
    expect(readdirSync(folder)).toEqual([]);
  },
);

describe('a folder', () => {
  it('that others can look into is closed to them', async () => {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    await openSpool();
    expect(modeOf(folder)).toBe(0o700);
  });

  it('that is a link or a file is refused, with a word on the setting', async () => {
    const elsewhere = path.join(base, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(path.join(elsewhere, `${'0'.repeat(32)}.artifact`), 'x');
    mkdirSync(path.dirname(folder));
    symlinkSync(elsewhere, folder);
    const message = `the spool folder '${folder}' (spool.path) cannot be used: it is not a folder`;
    await expect(openSpool()).rejects.toMatchObject({ name: 'TalonError', code: 'config', message });
    expect(existsSync(path.join(elsewhere, `${'0'.repeat(32)}.artifact`))).toBe(true);
    rmSync(folder);
    writeFileSync(folder, '');
    await expect(openSpool()).rejects.toThrow('(spool.path) cannot be used: EEXIST');
  });
});

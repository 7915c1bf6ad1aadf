import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DoorError } from '../../model/door-error.ts';
import { OBJECTS } from '../../runtime/plugins/action-fixture.ts';
import { hereDoors, runForPod } from '../../runtime/plugins/container-fixture.ts';
import { artifactName } from './artifact-name.ts';
import { download } from './download.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'talon-download-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(file: string, names = ['main'], replaced = {}) {
  const here = hereDoors(names, replaced);
  return { ...here, result: runForPod(download, { parameters: { file }, use: here.doors, keeps: true }) };
}

/** Writes a file and tells its path. */
function written(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const BINARY = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));

describe('kubernetes:download', () => {
  it('keeps the bytes of a file under its path', async () => {
    const file = written('binary', BINARY);
    const { result, calls, captured } = run(file);
    expect(await result).toEqual({
      status: 'success',
      output: `the file '${file}' has been downloaded`,
      objects: { ...OBJECTS, file },
      artifact: {
        kind: 'artifact',
        ref: 0,
        name: file.replaceAll('/', '_'),
        mediaType: 'application/octet-stream',
        size: 5000,
        sha256: '',
      },
    });
    expect(captured[0]?.equals(BINARY)).toBe(true);
    expect(calls.map(({ program }) => program)).toEqual([
      ['test', '-f', file],
      ['stat', '-L', '-c', '%s', file],
      ['cat', '--', file],
    ]);
  });

  it.each(['a; id', '$(id)', '`id`', '\'"', '-rf', 'new\nline', '😀', '*'])('takes %j for a name', async (name) => {
    const file = written(name, `content of ${name}`);
    const { result, captured } = run(file);
    expect(await result).toMatchObject({ objects: { file } });
    expect(captured.map(String)).toEqual([`content of ${name}`]);
  });

  it('keeps an empty file', async () => {
    expect(await run(written('empty', '')).result).toMatchObject({ artifact: { size: 0 } });
  });

  it('follows links', async () => {
    const link = path.join(folder, 'link');
    symlinkSync(written('linked', 'x'), link);
    expect(await run(link).result).toMatchObject({ artifact: { size: 1 } });
  });

  it.each(['/dev/zero', '/dev/null'])('does not read %s, which is no file', async (file) => {
    const { result, captured } = run(file);
    await expect(result).rejects.toMatchObject({
      code: 'refused',
      message: `'${file}' is a directory or a device, not a regular file (exit code 1)`,
      objects: { ...OBJECTS, file },
    });
    expect(captured).toEqual([]);
  });

  it('does not read a folder', async () => {
    mkdirSync(path.join(folder, 'sub'));
    await expect(run(path.join(folder, 'sub')).result).rejects.toThrow('is a directory');
  });

  it('fails with what the last container says where none has it', async () => {
    const { result, calls } = run('/nowhere', ['a', 'b']);
    await expect(result).rejects.toMatchObject({
      code: 'refused',
      message: 'cat: /nowhere: No such file or directory (exit code 1)',
    });
    expect(calls.map(({ container, program }) => `${container} ${program[0]}`)).toEqual(
      ['a', 'b'].flatMap((each) => ['test', 'test', 'stat', 'cat'].map((program) => `${each} ${program}`)),
    );
  });

  it('takes it from the first container that has it', async () => {
    const file = written('second', 'x');
    const { result, calls } = run(file, ['bare', 'main', 'other'], { bare: { code: 126, stderr: 'no such program' } });
    expect(await result).toMatchObject({ status: 'success' });
    expect(calls.map(({ container, program }) => `${container} ${program[0]}`)).toEqual([
      ...['bare test', 'bare stat', 'bare cat'],
      ...['main test', 'main stat', 'main cat'],
    ]);
  });

  it.each([
    ['', "missing parameter 'file'"],
    ['etc/passwd', "the path 'etc/passwd' is not absolute"],
    ['-rf', "the path '-rf' is not absolute"],
    ['/var/../etc/shadow', "the path '/var/../etc/shadow' holds '..'"],
    ['/..', "the path '/..' holds '..'"],
    ['/a\0b', "the path '/a\ufffdb' holds a NUL"],
    [`/${'x'.repeat(1_000_000)}`, 'is too long'],
  ])('refuses the path %.40j before it asks for anything', async (file, message) => {
    const { result, calls } = run(file);
    await expect(result).rejects.toThrow(message);
    expect(calls).toEqual([]);
  });

  it('leaves names alone that only look like that', async () => {
    expect(await run(written('..x..', 'x')).result).toMatchObject({ status: 'success' });
  });

  it('fails at once where the artifact cannot be kept', async () => {
    const full = new DoorError('busy', 'the spool is full');
    const here = hereDoors(['a', 'b']);
    const use = {
      ...here.doors,
      'pods.capture': async () => {
        throw full;
      },
    };
    await expect(runForPod(download, { parameters: { file: '/etc/hostname' }, use })).rejects.toBe(full);
    expect(here.calls.map(({ program: [name] }) => name)).toEqual(['test', 'stat']);
  });

  it('takes no part of a file for all of it: reads it again, and then gives up', async () => {
    const here = hereDoors(['main']);
    const file = written('cut off', 'x'.repeat(100));
    const captures: string[] = [];
    const cutAt = (sizes: readonly number[]) => ({
      ...here.doors,
      'pods.capture': async (...given: Parameters<(typeof here.doors)['pods.capture']>) => {
        const whole = await here.doors['pods.capture'](...given);
        const size = sizes[captures.push(file) - 1] ?? 100;
        return { ...whole, artifact: whole.artifact && { ...whole.artifact, size } };
      },
    });
    expect(await runForPod(download, { parameters: { file }, use: cutAt([40]) })).toMatchObject({
      artifact: { size: 100 },
    });
    expect(captures).toHaveLength(2);
    await expect(runForPod(download, { parameters: { file }, use: cutAt([0, 0, 40, 40, 40]) })).rejects.toThrow(
      `the file '${file}' came only in part: 40 of 100 bytes`,
    );
    expect(captures).toHaveLength(5);
  });

  it('fails for a pod without containers', async () => {
    await expect(run('/etc/hostname', []).result).rejects.toThrow('no container found');
  });
});

describe('artifactName', () => {
  it.each([
    ['/etc/passwd', '_etc_passwd'],
    ['/', '_'],
    ['..', '_.'],
    ['.', '_'],
    ['', '_'],
    ['/a\\b\nc\u007fd', '_a_b_c_d'],
    ['/😀', '_😀'],
  ])('%j is stored as %j', (file, name) => expect(artifactName(file)).toBe(name));

  it('is a name of at most 255 bytes, whatever the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (file) => {
        const name = artifactName(file);
        expect(name).not.toMatch(/[/\\]/);
        expect([...name].every((character) => character >= ' ' && character !== '\u007f')).toBe(true);
        expect(['', '.', '..']).not.toContain(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });
});

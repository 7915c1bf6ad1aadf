import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from './make-folder.ts';

describe('makeFolder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes what is missing, for one user, and is content with what is there', () => {
    const deep = path.join(folder, 'a/b/c');
    makeFolder(deep);
    makeFolder(deep);
    for (const each of ['a', 'a/b', 'a/b/c']) expect(statSync(path.join(folder, each)).mode & 0o777).toBe(0o700);
    symlinkSync(deep, path.join(folder, 'link'));
    makeFolder(path.join(folder, 'link/d'));
    expect(statSync(path.join(deep, 'd')).isDirectory()).toBe(true);
  });

  it('fails where there is something else', () => {
    writeFileSync(path.join(folder, 'file'), '');
    expect(() => makeFolder(path.join(folder, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(path.join(folder, 'file/a'))).toThrow('ENOTDIR');
  });

  it.runIf(process.platform === 'linux')('fails where the system makes no folders, instead of trying for ever', () => {
    expect(() => makeFolder('/proc/talon/a')).toThrow('ENOENT');
  });
});

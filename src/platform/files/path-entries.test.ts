import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pathEntries } from './path-entries.ts';

describe('pathEntries', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'talon-path-')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const entries = (file: string) =>
    pathEntries(path.join(folder, file)).map((entry) => path.relative(folder, path.join(entry.folder, entry.name)));

  it('names the file alone where no link is on the way', () => {
    mkdirSync(path.join(folder, 'a/b'), { recursive: true });
    writeFileSync(path.join(folder, 'a/b/file'), '');
    expect(entries('a/b/file')).toEqual(['a/b/file']);
    expect(entries('a/./b/../b/file')).toEqual(['a/b/file']);
  });

  it('names every link of a ConfigMap', () => {
    mkdirSync(path.join(folder, '..1'));
    writeFileSync(path.join(folder, '..1/file'), '');
    symlinkSync('..1', path.join(folder, '..data'));
    symlinkSync('..data/file', path.join(folder, 'file'));
    expect(entries('file')).toEqual(['file', '..data', '..1/file']);
  });

  it('follows links up and to absolute places', () => {
    mkdirSync(path.join(folder, 'a/b'), { recursive: true });
    mkdirSync(path.join(folder, 'c'));
    writeFileSync(path.join(folder, 'c/file'), '');
    symlinkSync('../../c', path.join(folder, 'a/b/up'));
    symlinkSync(path.join(folder, 'a/b'), path.join(folder, 'there'));
    expect(entries('there/up/file')).toEqual(['there', 'a/b/up', 'c/file']);
  });

  it('ends at the first name that does not exist', () => {
    expect(entries('gone/deep/file')).toEqual(['gone']);
    symlinkSync('nowhere/file', path.join(folder, 'dangling'));
    expect(entries('dangling')).toEqual(['dangling', 'nowhere']);
  });

  it('ends in a circle of links', () => {
    symlinkSync('b', path.join(folder, 'a'));
    symlinkSync('a', path.join(folder, 'b'));
    expect(entries('a').length).toBeLessThan(50);
  });
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTestFiles, testFilesBeside } from './find-test-files.ts';

let folder: string;
const at = (...names: string[]): string => path.join(folder, ...names);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-find-'));
  for (const name of ['sub', 'node_modules', '.git', 'sub/deep']) mkdirSync(at(name), { recursive: true });
  for (const name of [
    'b.test.yaml',
    'a.test.yml',
    'rules.yaml',
    'sub/deep/c.test.yaml',
    'node_modules/d.test.yaml',
    '.git/e.test.yaml',
  ]) {
    writeFileSync(at(name), '');
  }
  mkdirSync(at('folder.test.yaml'));
  symlinkSync(at('loop.test.yaml'), at('loop.test.yaml'));
  symlinkSync(at('nowhere'), at('sub', 'lost.test.yaml'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('below a folder', () => {
  expect(findTestFiles(folder)).toEqual([at('a.test.yml'), at('b.test.yaml'), at('sub/deep/c.test.yaml')]);
});

test('a file that is one', () => {
  expect(findTestFiles(at('b.test.yaml'))).toEqual([at('b.test.yaml')]);
  expect(() => findTestFiles(at('rules.yaml'))).toThrow('rules files stand before --test');
  expect(() => findTestFiles(at('nowhere'))).toThrow('no such file or folder');
  expect(() => findTestFiles(at('loop.test.yaml'))).toThrow('no such file or folder');
});

test('beside rules files, each once', () => {
  expect(testFilesBeside([at('rules.yaml'), at('other.yaml'), at('nowhere/x.yaml')])).toEqual([
    at('a.test.yml'),
    at('b.test.yaml'),
  ]);
});

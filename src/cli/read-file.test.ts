import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_EMBEDDED_BYTES } from '../compiler/embed-files.ts';
import { fileProblem, readUpTo } from './read-file.ts';
import { readEmbeddedFile, readEmbeddedFileIn, readRulesFiles } from './read-rules-files.ts';

let folder: string;
const at = (name: string): string => path.join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-read-'));
  writeFileSync(at('three'), 'abc');
  writeFileSync(at('large'), 'é'.repeat(MAX_EMBEDDED_BYTES));
  writeFileSync(at('latin1'), Buffer.from([0x65, 0xe9]));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a file is read whole, or as far as one byte above the limit', () => {
  expect(readUpTo(at('three'), 3).toString()).toBe('abc');
  expect(readUpTo(at('three'), 100).toString()).toBe('abc');
  expect(readUpTo(at('three'), 1).toString()).toBe('ab');
  expect(readUpTo('/dev/null', 1)).toHaveLength(0);
  expect(readUpTo('/dev/zero', 3 * 1024 * 1024)).toHaveLength(3 * 1024 * 1024 + 1);
});

test('what cannot be read is said as the operating system does', () => {
  const problem = (file: string) => {
    try {
      return readUpTo(file, 1);
    } catch (error) {
      return fileProblem(error);
    }
  };
  expect(problem(at('nowhere'))).toBe('no such file or directory');
  expect(problem(folder)).toBe('is a directory');
  expect(readRulesFiles([at('nowhere'), at('three')])).toMatchObject([
    { problem: 'no such file or directory' },
    { bytes: Buffer.from('abc') },
  ]);
});

test('what is embedded is a text of a size that a shell is given', () => {
  expect(readEmbeddedFile(at('three'))).toBe('abc');
  expect(readEmbeddedFile(at('large'))).toEqual({ problem: 'it has more than 262144 bytes' });
  expect(readEmbeddedFile(at('latin1'))).toEqual({ problem: 'is not a text in UTF-8' });
  expect(readEmbeddedFile(folder)).toEqual({ problem: 'is a directory' });
  expect(readEmbeddedFile('/dev/zero')).toEqual({ problem: 'is not a file' });
});

test('what a server embeds can be confined to a folder, wherever links lead', () => {
  const outside = { problem: 'is not in the folder of the setting scripts_folder' };
  symlinkSync('/etc/passwd', at('link'));
  symlinkSync(at('three'), at('inner'));
  expect(readEmbeddedFileIn('', at('three'))).toBe('abc');
  expect(readEmbeddedFileIn(folder, at('three'))).toBe('abc');
  expect(readEmbeddedFileIn(`${folder}/`, at('inner'))).toBe('abc');
  for (const file of [at('link'), '/etc/passwd', `${folder}/../../etc/passwd`, folder]) {
    expect(readEmbeddedFileIn(folder, file)).toEqual(outside);
  }
  mkdirSync(`${folder}-beside`);
  writeFileSync(`${folder}-beside/x`, 'x');
  expect(readEmbeddedFileIn(folder, `${folder}-beside/x`)).toEqual(outside);
  rmSync(`${folder}-beside`, { recursive: true });
  expect(readEmbeddedFileIn(folder, at('nowhere'))).toEqual({ problem: 'no such file or directory' });
});

import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../model/diagnostic.ts';
import { Findings } from './findings.ts';
import { MAX_FILE_BYTES, read, type SourceFile } from './read.ts';

function readFile(file: SourceFile): { text: string | undefined; diagnostics: readonly Diagnostic[] } {
  const findings = new Findings();
  const source = read(file, findings);
  return { text: source?.text, diagnostics: findings.sorted() };
}

function readBytes(...parts: (string | number[])[]): { text: string | undefined; diagnostics: readonly Diagnostic[] } {
  return readFile({ path: 'rules.yaml', bytes: Buffer.concat(parts.map((part) => Buffer.from(part as string))) });
}

test.each([
  [{ path: 'rules', problem: 'is a directory' }, 'name the files in it'],
  [{ path: 'a.yaml,b.yaml', problem: 'no such file or directory' }, 'a comma does not separate files: repeat -r'],
  [{ path: 'a.yaml', problem: 'no such file or directory' }, undefined],
])('%j comes with the hint %j', (file, hint) => {
  expect(readFile(file).diagnostics[0]).toMatchObject({
    code: 'T1001',
    message: expect.stringContaining(file.problem),
  });
  expect(readFile(file).diagnostics[0]?.hint).toBe(hint);
});

describe('the text of a file', () => {
  test('UTF-8, with or without a mark, beyond the basic plane too', () => {
    expect(readBytes('é€😀\n')).toEqual({ text: 'é€😀\n', diagnostics: [] });
    expect(readBytes([0xef, 0xbb, 0xbf], '- a')).toEqual({ text: '- a', diagnostics: [] });
    expect(readFile({ path: 'a', text: '\ufeff- a' }).text).toBe('- a');
    expect(readBytes('').text).toBe('');
  });

  test('in UTF-16 or UTF-32 is refused by name, with a mark or without', () => {
    const marked = Buffer.from('\ufeff- rule: a', 'utf16le');
    for (const bytes of [
      marked,
      marked.subarray(2),
      Buffer.from(marked).swap16(),
      Buffer.from(marked.subarray(2)).swap16(),
    ]) {
      const { text, diagnostics } = readFile({ path: 'rules.yaml', bytes });
      expect(text).toBeUndefined();
      expect(diagnostics).toMatchObject([{ code: 'T1002', message: '`rules.yaml` is UTF-16, not UTF-8' }]);
    }
    expect(readBytes([0xff, 0xfe, 0, 0, 0x2d, 0, 0, 0]).diagnostics).toMatchObject([
      { message: '`rules.yaml` is UTF-32, not UTF-8' },
    ]);
  });

  test.each([
    ['a stray byte', [[0x61, 0x80]], 1, '80'],
    ['Latin-1', ['- rule: caf', [0xe9, 0x0a]], 11, 'e9'],
    ['a character that is cut off by the end', ['ab', [0xe2, 0x82]], 2, 'e2'],
    ['an overlong form', ['€', [0xc0, 0x80]], 3, 'c0'],
    ['half a surrogate', ['😀', [0xed, 0xa0, 0x80]], 4, 'ed'],
    ['the first of several', ['x', [0xff], 'y', [0xff]], 1, 'ff'],
  ])('with %s is refused at that byte', (_, parts, offset, value) => {
    const { diagnostics } = readBytes(...(parts as (string | number[])[]));
    expect(diagnostics).toMatchObject([{ code: 'T1002', message: `byte 0x${value} at offset ${offset} is not UTF-8` }]);
  });

  test('an invalid byte is placed at its line and column', () => {
    const { diagnostics } = readBytes('- rule: a\n  description: é', [0xff]);
    expect(diagnostics).toMatchObject([{ place: { line: 2, column: 17 } }]);
  });

  test.each(['\0', '\x07', '\x1b', '\x7f', '\u0085\u0080', '\ufffe'])(
    'with the control character %j is refused',
    (character) => {
      const { text, diagnostics } = readFile({ path: 'rules.yaml', text: `- rule: a\n  description: x${character}` });
      expect(text).toBeUndefined();
      expect(diagnostics).toMatchObject([{ code: 'T1003', place: { line: 2 } }]);
    },
  );

  test('tabs, line ends and the next-line character are no control characters to YAML', () => {
    expect(readFile({ path: 'a', text: '\t\r\n\u0085' }).diagnostics).toEqual([]);
  });
});

test('a file that is too large is refused unread', () => {
  const { diagnostics } = readFile({ path: 'rules.yaml', bytes: new Uint8Array(MAX_FILE_BYTES + 1) });
  expect(diagnostics).toMatchObject([{ code: 'T1004', message: '`rules.yaml` has more than 16777216 bytes' }]);
});

test('a file that cannot be read is reported as Falco Talon does', () => {
  const { diagnostics } = readFile({ path: '/x.yaml', problem: 'no such file or directory' });
  expect(diagnostics).toMatchObject([
    {
      code: 'T1001',
      message: 'cannot read `/x.yaml`: no such file or directory',
      place: { file: '/x.yaml', line: 1, column: 1, length: 0 },
      record: { error: 'open /x.yaml: no such file or directory' },
    },
  ]);
});

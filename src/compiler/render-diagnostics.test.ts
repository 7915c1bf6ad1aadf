import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../model/diagnostic.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { Source } from './source.ts';

const source = new Source('rules.yaml', '- rule: a\n\tactionner: kubernetes:lable # é\n');
const diagnostic: Diagnostic = {
  code: 'T1301',
  severity: 'error',
  message: 'unknown actionner `kubernetes:lable`',
  place: { file: 'rules.yaml', line: 2, column: 13, length: 16 },
  hint: 'did you mean `kubernetes:label`?',
  record: { error: 'unknown actionner' },
};

describe('text', () => {
  test('shows the line, with a caret below the place whatever the width of tabs is', () => {
    expect(renderDiagnostics([diagnostic], [source], 'text')).toBe(
      [
        'rules.yaml:2:13: error T1301: unknown actionner `kubernetes:lable`',
        '  | \tactionner: kubernetes:lable # é',
        '  | \t           ^^^^^^^^^^^^^^^^',
        '  = hint: did you mean `kubernetes:label`?',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['日本語: 😀', 4, 1, '      ^'],
    ['日本語: 😀', 6, 2, '        ^^'],
    ['e\u0301: xx', 5, 2, '   ^^'],
    ['\ta: "\x07", b: xx', 13, 2, '\t                ^^'],
  ])('stands below what it means in %j at %i', (text, column, length, caret) => {
    const place = { file: 'wide.yaml', line: 1, column, length };
    const drawn = renderDiagnostics([{ ...diagnostic, place }], [new Source('wide.yaml', text)], 'text').split('\n');
    expect(drawn[2]).toBe(`  | ${caret}`);
  });

  test('cuts a long line between characters', () => {
    const long = new Source('long.yaml', 'x😀'.repeat(200));
    const place = { file: 'long.yaml', line: 1, column: 301, length: 1 };
    for (const column of [299, 300, 301]) {
      const text = renderDiagnostics([{ ...diagnostic, place: { ...place, column } }], [long], 'text');
      expect(() => encodeURIComponent(text)).not.toThrow();
    }
  });

  test('in colour says the same', () => {
    const colored = renderDiagnostics([diagnostic], [source], 'text', { color: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    const plain = colored.replace(/\x1b\[\d+m/g, '');
    expect(colored).not.toBe(plain);
    expect(plain).toBe(renderDiagnostics([diagnostic], [source], 'text'));
  });

  test('without a place, or without its file, is one line', () => {
    const { place: _, ...placeless } = diagnostic;
    expect(renderDiagnostics([placeless], [], 'text').split('\n')[0]).toBe(
      'error T1301: unknown actionner `kubernetes:lable`',
    );
    expect(renderDiagnostics([diagnostic], [], 'text')).not.toContain('  |');
    expect(renderDiagnostics([], [source], 'text')).toBe('');
  });

  test('cuts a long line around the place', () => {
    const long = new Source('long.yaml', `${'x'.repeat(500)}HERE${'y'.repeat(500)}`);
    const place = { file: 'long.yaml', line: 1, column: 501, length: 4 };
    const [, line = '', caret = ''] = renderDiagnostics([{ ...diagnostic, place }], [long], 'text').split('\n');
    expect(line.length).toBeLessThan(110);
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('HERE');
  });

  test('lets no control character of a file reach the terminal', () => {
    const evil = new Source('evil.yaml', 'a: \x1b[2Jb\u202e');
    const message = 'unknown `\x1b]0;x\x07\n\u2028`';
    const text = renderDiagnostics(
      [{ ...diagnostic, message, place: { file: 'evil.yaml', line: 1, column: 1, length: 1 } }],
      [evil],
      'text',
    );
    expect(text).toContain('unknown `\\u001b]0;x\\u0007\\n\\u2028`');
    expect(text).toContain('  | a: \\u001b[2Jb\\u202e');
  });
});

test('json is one array, without the log records', () => {
  const { record: _, ...shown } = diagnostic;
  expect(JSON.parse(renderDiagnostics([diagnostic], [source], 'json'))).toEqual([shown]);
  expect(JSON.parse(renderDiagnostics([], [], 'json'))).toEqual([]);
});

describe('github', () => {
  test('is a workflow command', () => {
    expect(renderDiagnostics([diagnostic], [source], 'github')).toBe(
      '::error file=rules.yaml,line=2,col=13,endColumn=29,title=T1301%3A the actionner does not exist::' +
        'unknown actionner `kubernetes:lable`%0Adid you mean `kubernetes:label`?\n',
    );
  });

  test('escapes what would end the command or a property', () => {
    const place = { file: 'a,b:c%0A\n.yaml', line: 1, column: 1, length: 0 };
    const text = renderDiagnostics(
      [{ ...diagnostic, message: '100%\r\n::set-output', place, severity: 'warning' }],
      [],
      'github',
    );
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toMatch(/^::warning file=a%2Cb%3Ac%250A%0A\.yaml,line=1,col=1,title=/);
    expect(text).toContain('::100%25%0D%0A::set-output%0A');
  });
});

import { describe, expect, test } from 'vitest';
import { readYaml } from './read-yaml.ts';
import { placeOf, Source } from './source.ts';
import { spotWithin } from './spot-within.ts';

/** The line and column that a part of the value of `a` is shown at, and the text that stands there. */
function shown(text: string, part: string): { line: number; column: number; text: string } {
  const source = new Source('a.yaml', text);
  const [root] = readYaml(source).documents;
  const node = root?.kind === 'map' ? root.entries.get('a')?.value : undefined;
  if (node?.kind !== 'scalar') throw new Error('no scalar');
  const from = node.text.indexOf(part);
  const { line, column, length } = placeOf(spotWithin(node, from, from + part.length));
  return { line, column, text: source.line(line).slice(column - 1, column - 1 + length) };
}

describe('a part of a text is shown where it stands', () => {
  test.each([
    ['without quotes', 'a: one two\n', { line: 1, column: 8 }],
    ['in quotes', 'a: "one two"\n', { line: 1, column: 9 }],
    ['in single quotes', "a: 'one two'\n", { line: 1, column: 9 }],
    ['in a literal block', 'a: |\n  one\n   two x\n', { line: 3, column: 4 }],
    ['in a literal block with Windows line ends', 'a: |-\r\n    one\r\n    two\r\n', { line: 3, column: 5 }],
    ['in a literal block with a given indentation', 'a: |2\n    one\n  two\n', { line: 3, column: 3 }],
    ['in a folded block', 'a: >\n  one\n  two\n', { line: 3, column: 3 }],
    ['behind escapes', 'a: "\\u0041\\" two"\n', { line: 1, column: 14 }],
    ['the first of several behind escapes', "a: 'it''s two, two'\n", { line: 1, column: 11 }],
    ['on a later line of a text in quotes', "a: 'one\n  two'\n", { line: 2, column: 3 }],
  ])('%s', (_, text, place) => expect(shown(text, 'two')).toEqual({ ...place, text: 'two' }));

  test('the whole text where that is ambiguous', () => {
    const text = String.raw`"t\u0077o, two"`;
    expect(shown(`a: ${text}\n`, 'two')).toEqual({ line: 1, column: 4, text });
  });
});

describe('a place', () => {
  const source = new Source('a', 'one\r\ntwo\n\nfour');

  test('counts lines and columns from 1', () => {
    expect(source.place(0, 3)).toEqual({ file: 'a', line: 1, column: 1, length: 3 });
    expect(source.place(5, 8)).toEqual({ file: 'a', line: 2, column: 1, length: 3 });
    expect(source.place(9, 9)).toEqual({ file: 'a', line: 3, column: 1, length: 0 });
    expect(source.place(14, 14)).toEqual({ file: 'a', line: 4, column: 5, length: 0 });
  });

  test('ends with its first line', () => {
    expect(source.place(1, 14)).toEqual({ file: 'a', line: 1, column: 2, length: 2 });
  });

  test('shows lines without their ends, and none beyond the last', () => {
    expect([1, 2, 3, 4, 5].map((line) => source.line(line))).toEqual(['one', 'two', '', 'four', '']);
  });
});

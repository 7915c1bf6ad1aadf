import { describe, expect, test } from 'vitest';
import { parameterValue } from './parameter-value.ts';
import { readYaml } from './read-yaml.ts';
import { Source } from './source.ts';

function read(text: string): unknown {
  const { documents, faults } = readYaml(new Source('a.yaml', text));
  return faults.length > 0
    ? faults.map(({ message }) => message)
    : documents.map((root) => root && parameterValue(root));
}

describe('values over several lines that are indented too little for YAML, but not for Falco Talon', () => {
  test.each([
    ['- a: "x\n  y"\n  b: 1\n', { a: 'x y', b: 1 }],
    ["- a: 'x\n y'\n", { a: 'x y' }],
    ['- a: "x\n\n- y"\n', { a: 'x\n- y' }],
    ['- a: [1,\n  2\n  ]\n', { a: [1, 2] }],
    ['- a: [{\n    b: 1\n  }]\n', { a: [{ b: 1 }] }],
    ['- a: {b: "x\ny", c: [\n]}\n', { a: { b: 'x y', c: [] } }],
  ])('%j', (text, value) => expect(read(text)).toEqual([[value]]));

  test.each(['- a: "x\n---\n- y"\n', '- a: [1,\n---\n2]\n'])('end with their document: %j', (text) => {
    expect(read(text)).not.toEqual([[expect.anything()]]);
  });

  test('what is not closed at all is blamed where it starts', () => {
    const { faults } = readYaml(new Source('a.yaml', '- a: "x\n- b: y\n'));
    expect(faults).toMatchObject([{ start: 5, message: 'missing closing quote' }]);
  });
});

describe('tags', () => {
  test.each([
    ['!!binary aGVsbG8=', 'hello'],
    ['!!binary |\n  aGVs\n  bG8=\n', 'hello'],
    ['!!timestamp 2024-01-02', '2024-01-02T00:00:00Z'],
    ['!!str 1.10', '1.10'],
    ['!!str null', 'null'],
    ['! 5', 5],
    ['!own 5', '5'],
  ])('%j', (text, value) => expect(read(text)).toEqual([value]));
});

describe('merge keys', () => {
  test.each([
    ['{<<: {a: 1, b: 1}, b: 2}', { a: 1, b: 2 }],
    ['{<<: [{a: 1}, {a: 2, b: 2}]}', { a: 1, b: 2 }],
    ['{!!merge <<: {a: 1}}', { a: 1 }],
    ['{"<<": {a: 1}}', { '<<': { a: 1 } }],
  ])('%s', (text, value) => expect(read(text)).toEqual([value]));

  test('stand once in a mapping, like every key', () => {
    expect(read('{<<: {a: 1}, <<: {b: 2}}')).toEqual(['the key `<<` stands twice in this mapping']);
  });
});

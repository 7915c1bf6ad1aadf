import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainItem } from './plain-yaml.ts';
import { readEntries } from './read-entries.ts';
import { readYaml, type YamlText } from './read-yaml.ts';
import { Source } from './source.ts';
import type { YamlNode } from './yaml-node.ts';

/** A tree as plain data, with all that the phases after it see. */
function shape(node: YamlNode | null): unknown {
  if (node === null) return null;
  const { start, end } = node;
  if (node.kind === 'scalar') return { text: node.text, plain: node.plain, tag: node.tag, start, end };
  if (node.kind === 'list') return { list: node.items.map(shape), start, end };
  return { map: [...node.entries.values()].map(({ key, value }) => [shape(key), shape(value)]), start, end };
}

/** Where there are faults, only that there are: the reading stops at different ones. */
function shapes({ documents, faults }: YamlText): unknown {
  return faults.length > 0 ? 'faults' : documents.map(shape);
}

function expectSame(text: string): void {
  const source = new Source('rules.yaml', text);
  expect(shapes(readEntries(source)), text).toEqual(shapes(readYaml(source)));
}

const recorded = ['merge', 'check'].flatMap((category) => {
  const file = new URL(`../../conformance-tests/oracle/${category}.jsonl`, import.meta.url);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) =>
    (JSON.parse(line) as { rules: (string | null)[] }).rules.filter((text) => text !== null),
  );
});

describe('items read one by one make the same tree as the whole text', () => {
  test('recorded rules files', () => {
    for (const text of recorded) expectSame(text);
  });

  test('recorded rules files with characters changed, dropped or added', () => {
    const edit = fc.record({
      text: fc.constantFrom(...recorded),
      at: fc.nat(2000),
      drop: fc.nat(3),
      add: fc.oneof(
        fc.constantFrom(...'\n\t\r -:#,[]{}&*!|>\'"%@`?~=<\\é\u00a0\ufeff'),
        fc.constantFrom('\n- ', ': ', ' #', '\n---\n', '\n  ', "''", '- - ', '\r\n', '\n\n', '? ', '<<: '),
        fc.constant(''),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const first = edits[0]?.text ?? '';
        const text = edits.reduce((changed, { at, drop, add }) => {
          const place = at % (changed.length + 1);
          return changed.slice(0, place) + add + changed.slice(place + drop);
        }, first);
        expectSame(text);
      }),
      { numRuns: 1000 },
    );
  });

  test('JSON, also with something changed', () => {
    const json = fc.array(fc.record({ rule: fc.string(), match: fc.jsonValue() }), { minLength: 1, maxLength: 3 });
    const edit = fc.tuple(fc.nat(300), fc.constantFrom('', ' ', ':', ',', '"', '{', ']', ' #', '\n', '- ', '&a '));
    fc.assert(
      fc.property(json, fc.option(edit), (items, change) => {
        const text = items.map((item) => `- ${JSON.stringify(item)}\n`).join('');
        const at = change ? change[0] % (text.length + 1) : 0;
        expectSame(change ? text.slice(0, at) + change[1] + text.slice(at) : text);
      }),
      { numRuns: 1000 },
    );
  });

  test('texts made of the pieces of YAML', () => {
    const pieces = [
      '- ',
      '-',
      '\n',
      '  ',
      ' ',
      'a',
      'b: ',
      'c:',
      '"q"',
      '"k":',
      ':',
      '{"k":[1,"v"]}',
      "'s'",
      '[',
      ']',
      '{',
      '}',
      ', ',
      ',',
      '#x',
      ' # y',
      '1.5',
      '~',
    ];
    const line = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => expectSame(`- ${lines.join('\n')}`)),
      { numRuns: 2000 },
    );
  });
});

test('the fast reader reads the usual rules itself', () => {
  const text = `- rule: Terminal shell
  description: about it   # a comment
  match:
    rules: [A shell, "B: c", 'it''s']
    priority: '>=Notice'

    # in the middle
    tags:
    - container, shell
    output_fields:
      - k8s.ns.name!=kube-system, a=b
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {a: "b", c: d}, level: pod}
    - action: Kill
      parameters:
        grace_period_seconds: 5
        nothing:
- {action: Kill, actionner: kubernetes:terminate}
`;
  const source = new Source('rules.yaml', text);
  const first = plainItem(source, 0);
  expect(first && text.slice(first.next)).toBe('- {action: Kill, actionner: kubernetes:terminate}\n');
  expect(first && plainItem(source, first.next)).toMatchObject({ next: text.length });
  expectSame(text);
});

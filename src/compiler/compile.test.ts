import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalog } from '../cli/plugins/catalog.ts';
import { type Checked, checkRules } from './check-rules.ts';
import { compile } from './compile.ts';
import { MAX_EMBEDDED_BYTES } from './embed-files.ts';
import type { SourceFile } from './read.ts';

const RECORDED = ['merge', 'check'].flatMap((category) => {
  const file = new URL(`../../conformance-tests/oracle/${category}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { rules: (string | null)[] }).rules.filter((text) => text !== null))
    .filter((texts) => texts.length > 0);
});

function files(...texts: string[]): SourceFile[] {
  return texts.map((text, index) => ({ path: `rules_${index}.yaml`, text }));
}

function check(...texts: string[]): Checked {
  return checkRules(files(...texts), { catalog });
}

describe('what is compiled', () => {
  test('has the defaults filled in, and says what the file itself sets', () => {
    const { rules } = check(`- rule: r
  match: {rules: [a], condition: 'event.rule == "a"'}
  notifiers: [slack, smtp, slack]
  actions:
    - {action: kill, actionner: kubernetes:terminate}
    - {action: log, actionner: kubernetes:log, continue: false, ignore_errors: true, contexts: [aws], output: {parameters: {a: b}}}
- rule: s
  match: {rules: [b]}
  continue: false
  dry_run: true
  actions:
    - {action: label, actionner: kubernetes:label, parameters: {labels: {a: 1, b: true, c: null}}}
`);
    const common = { description: '', additional_contexts: [], output: null, parameters: null, ignore_errors: false };
    expect(rules).toEqual([
      {
        rule: 'r',
        description: '',
        continue: true,
        dry_run: false,
        notifiers: ['slack', 'smtp'],
        written: {},
        match: {
          rules: ['a'],
          priority: { text: '', accepts: 511 },
          source: '',
          tags: [],
          output_fields: [],
          condition: 'event.rule == "a"',
        },
        actions: [
          { ...common, action: 'kill', actionner: 'kubernetes:terminate', continue: false, written: {} },
          {
            ...common,
            action: 'log',
            actionner: 'kubernetes:log',
            continue: false,
            ignore_errors: true,
            additional_contexts: ['aws'],
            written: { continue: false, ignore_errors: true },
          },
        ],
      },
      {
        rule: 's',
        description: '',
        continue: false,
        dry_run: true,
        notifiers: [],
        written: { continue: false, dry_run: true },
        match: {
          rules: ['b'],
          priority: { text: '', accepts: 511 },
          source: '',
          tags: [],
          output_fields: [],
          condition: '',
        },
        actions: [
          {
            ...common,
            action: 'label',
            actionner: 'kubernetes:label',
            continue: true,
            parameters: { labels: { a: '1', b: 'true', c: null } },
            written: {},
          },
        ],
      },
    ]);
  });

  test('a rule of a later block without priority and source keeps those of the earlier one; empty texts reset them', () => {
    const base =
      '- rule: r\n  match: {priority: ">=Warning", source: syscall}\n  actions: [{action: a, actionner: kubernetes:log}]\n';
    const match = (later: string) => check(base, later).rules?.[0]?.match;
    expect(match('- rule: r\n  dry_run: true\n')).toMatchObject({ priority: { text: '>=Warning' }, source: 'syscall' });
    expect(match('- rule: r\n  match: {priority: ~, source: null}\n')).toMatchObject({
      priority: { text: '>=Warning' },
      source: 'syscall',
    });
    expect(match('- rule: r\n  match: {priority: "", source: ""}\n')).toMatchObject({
      priority: { text: '', accepts: 511 },
      source: '',
    });
  });

  test('labels keep the spelling of their numbers; so do those of a block', () => {
    const labels = '{version: 1.10, mask: 0x1F, count: 1_000, on: True, text: "2", none: ~}';
    const { rules } = check(`- action: label
  actionner: kubernetes:label
  parameters: {LABELS: ${labels}}
- rule: r
  match: {rules: [a]}
  actions:
    - action: label
    - {action: annotate, actionner: kubernetes:annotation, parameters: {annotations: ${labels}}}
    - {action: other, actionner: kubernetes:log, parameters: {tail_lines: 1_0, labels: ${labels}}}
`);
    const spelled = { version: '1.10', mask: '0x1F', count: '1_000', on: 'true', text: '2', none: null };
    const typed = { version: 1.1, mask: 31, count: 1000, on: true, text: '2', none: null };
    expect(rules?.[0]?.actions.map(({ parameters }) => parameters)).toEqual([
      { LABELS: spelled },
      { annotations: spelled },
      { tail_lines: 10, labels: typed },
    ]);
  });

  test('a block does not hand on its nulls', () => {
    const { rules } = check(`- action: a
  actionner: kubernetes:log
  parameters: {tail_lines: ~, extra: 1}
- action: a
  parameters: {more: ~}
- rule: r
  match: {rules: [a]}
  actions: [{action: a, parameters: {own: ~}}]
`);
    expect(rules?.[0]?.actions[0]?.parameters).toEqual({ extra: 1, own: null });
  });

  test('no rules at all match nothing', () => {
    const { bundle, diagnostics } = compile(files('', '# nothing\n', '[]', 'null', '---\n'), { catalog });
    expect(diagnostics).toEqual([]);
    expect(bundle?.rules).toEqual([]);
  });

  test('without any file there is an error', () => {
    const { bundle, diagnostics, records } = compile([], { catalog });
    expect(bundle).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'T1005' }]);
    expect(records).toEqual([{ error: 'no rule file is provided' }]);
  });

  test('the grants in the bundle are the least that the actions need', () => {
    const grantsOf = (actionner: string): unknown => {
      const text = `- rule: r\n  match: {rules: [a]}\n  actions: [{action: a, actionner: '${actionner}', parameters: {labels: {a: b}}}]\n`;
      const { bundle } = compile(files(text), { catalog });
      const archive = bundle ? gunzipSync(bundle.pack()).toString() : '';
      const data = archive.slice(archive.indexOf('{"talon"'));
      return JSON.parse(data.slice(0, data.indexOf('\0'))).talon.bundle.grants;
    };
    expect(grantsOf('kubernetes:label')).toEqual([{ group: '', resource: 'pods', verbs: ['patch'] }]);
    expect(grantsOf('kubernetes:terminate')).toContainEqual({ group: '', resource: 'pods', verbs: ['delete', 'get'] });
    expect(grantsOf('kubernetes:cordon')).toEqual([
      { group: '', resource: 'nodes', verbs: ['patch'] },
      { group: '', resource: 'pods', verbs: ['get'] },
    ]);
  });
});

describe('files that parameters name', () => {
  const text =
    '- rule: r\n  match: {rules: [a]}\n  actions: [{action: a, actionner: kubernetes:script, parameters: {FILE: x.sh}}]\n';

  test('are embedded under the name of the parameter', () => {
    const { rules } = checkRules(files(text), { catalog, readFile: () => 'echo é' });
    expect(rules?.[0]?.actions[0]).toMatchObject({ parameters: { FILE: 'x.sh' }, files: { file: 'echo é' } });
  });

  test('are those that the actionner gets when a name stands in several spellings', () => {
    const both = text.replace('FILE: x.sh', 'FILE: x.sh, file: y.sh');
    const { rules } = checkRules(files(both), { catalog, readFile: (path) => path });
    expect(rules?.[0]?.actions[0]?.files).toEqual({ file: 'y.sh' });
  });

  test('are part of the revision', () => {
    const revision = (content: string) => compile(files(text), { catalog, readFile: () => content }).bundle?.revision;
    expect(revision('a')).not.toBe(revision('b'));
  });

  test('are refused when they are too large', () => {
    const readFile = () => 'x'.repeat(MAX_EMBEDDED_BYTES + 1);
    const { diagnostics } = checkRules(files(text), { catalog, readFile });
    expect(diagnostics).toMatchObject([
      { code: 'T1307', message: 'cannot embed `x.sh`: it has more than 262144 bytes' },
    ]);
  });
});

describe('a file with a syntax error', () => {
  test('hides nothing of the others, and makes nothing up about what it may hold', () => {
    const broken = '- action: Block\n  actionner: "kubernetes:log\n';
    const user =
      '- rule: r\n  continue: maybe\n  match: {rules: [a]}\n  actions: [{action: Block}, {action: b, actionner: nope:nope}]\n';
    const { diagnostics, records } = check(broken, user);
    expect(diagnostics.map(({ code, place }) => `${place?.file} ${code}`)).toEqual([
      'rules_0.yaml T1101',
      'rules_1.yaml T1201',
      'rules_1.yaml T1301',
    ]);
    expect(records).toEqual([
      { error: expect.stringMatching(/^wrong syntax for the rule file 'rules_0\.yaml': yaml: line 2: /) },
    ]);
  });
});

test('of several files that cannot be read, Falco Talon reports the first', () => {
  const missing: SourceFile = { path: 'missing.yaml', problem: 'no such file or directory' };
  const folder: SourceFile = { path: 'rules', problem: 'is a directory' };
  const [wrong] = files('{}');
  const reported = (...given: SourceFile[]) => checkRules(given, { catalog }).records;
  if (!wrong) throw new Error('no file');
  expect(reported(wrong, missing)).toEqual([{ error: expect.stringContaining("for the rule file 'rules_0.yaml'") }]);
  expect(reported(missing, wrong)).toEqual([{ error: 'open missing.yaml: no such file or directory' }]);
  expect(reported(folder, missing)).toEqual([{ error: 'read rules: is a directory' }]);
});

test('a file that is given twice counts twice, with a warning', () => {
  const [file] = files('- rule: r\n  match: {rules: [a]}\n  actions: [{action: a, actionner: kubernetes:log}]\n');
  if (!file) throw new Error('no file');
  const { rules, diagnostics } = checkRules([file, file], { catalog });
  expect(rules?.[0]?.actions).toHaveLength(2);
  expect(diagnostics).toMatchObject([{ code: 'T1509', severity: 'warning', place: { file: 'rules_0.yaml' } }]);
});

test('compiling is deterministic', () => {
  for (const texts of RECORDED.filter((_, index) => index % 10 === 0)) {
    const [first, second] = [1, 2].map(() => compile(files(...texts), { catalog }));
    expect(second?.diagnostics).toEqual(first?.diagnostics);
    expect(second?.bundle?.revision).toBe(first?.bundle?.revision);
    if (first?.bundle && second?.bundle)
      expect(Buffer.from(first.bundle.module).equals(second.bundle.module)).toBe(true);
  }
});

test('whatever the text is, there is no exception, and every place lies inside its file', () => {
  const edit = fc.record({
    at: fc.nat(3000),
    drop: fc.nat(20),
    add: fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom('\n', '- rule: x\n', '&a ', '*a', ': ', '"', "'", '[', '}', '|\n', '\t', '\0'),
    ),
  });
  const text = fc
    .tuple(fc.constantFrom(...RECORDED), fc.array(edit, { minLength: 1, maxLength: 4 }))
    .map(([texts, edits]) =>
      texts.map((original) =>
        edits.reduce((changed, { at, drop, add }) => {
          const place = at % (changed.length + 1);
          return changed.slice(0, place) + add + changed.slice(place + drop);
        }, original),
      ),
    );
  fc.assert(
    fc.property(text, (texts) => {
      const { diagnostics } = check(...texts);
      for (const { place, message } of diagnostics) {
        const line = place && texts[Number(/\d+/.exec(place.file)?.[0])]?.split('\n')[place.line - 1];
        expect(line, message).toBeDefined();
        expect(place?.column, message).toBeLessThanOrEqual((line?.length ?? 0) + 1);
        expect((place?.column ?? 0) - 1 + (place?.length ?? 0), message).toBeLessThanOrEqual(line?.length ?? 0);
      }
    }),
    { numRuns: 500 },
  );
});

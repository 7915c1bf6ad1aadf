import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runRecorded } from './run-recorded.ts';

let folder: string;
const at = (name: string): string => path.join(folder, name);

const RULES =
  '- rule: R\n  match: {rules: [a]}\n  actions: [{action: L, actionner: kubernetes:label, parameters: {labels: {a: b}}}]\n';
const TESTS = 'tests:\n  - name: one\n    event: {rule: a}\n    expect: {rules: [R]}\n';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-formats-'));
  mkdirSync(at('folder'));
  mkdirSync(at('tested'));
  writeFileSync(at('rules.yaml'), RULES);
  writeFileSync(at('tested/rules.yaml'), RULES);
  writeFileSync(at('tested/rules.test.yaml'), TESTS);
  writeFileSync(at('broken.yaml'), '- rule: "R\n');
  writeFileSync(at('config.yaml'), 'listen_port: [');
});
afterAll(() => rmSync(folder, { recursive: true }));

const talon = (...argv: string[]) => runRecorded(argv);

interface Output {
  readonly code: string;
  readonly message: string;
}

describe.each([
  ['rules check', (files: string[]) => ['rules', 'check', ...files.flatMap((file) => ['-r', file])]],
  ['compile', (files: string[]) => ['compile', ...files]],
] as const)('%s for programs', (_command, argv) => {
  test.each<[string, string[], string[], string[]]>([
    ['rules without a fault', ['rules.yaml'], [], []],
    ['a file that is not there', ['missing.yaml', 'rules.yaml'], [], ['T1001']],
    ['a folder', ['folder'], [], ['T1001']],
    ['a syntax error', ['broken.yaml', 'missing.yaml'], [], ['T1101', 'T1001']],
    ['a configuration that is not there', [], ['-c', 'missing.yaml'], ['T1006']],
    ['a configuration that is broken', [], ['-c', 'config.yaml'], ['T1006']],
  ])('%s', async (_, files, flags, codes) => {
    const paths = flags.map((flag) => (flag.startsWith('-') ? flag : at(flag)));
    const { code, out, err } = await talon(...argv(files.map(at)), ...paths, '--format', 'json');
    const printed: Output[] | { diagnostics: Output[] } = JSON.parse(out);
    const diagnostics = 'diagnostics' in printed ? printed.diagnostics : printed;
    expect({ code, err, codes: diagnostics.map((each) => each.code) }).toEqual({
      code: codes.length > 0 ? 1 : 0,
      err: '',
      codes,
    });
    const github = await talon(...argv(files.map(at)), ...paths, '--format', 'github');
    expect(github.out.split('\n').filter(Boolean)).toHaveLength(codes.length);
    expect(github.out.startsWith('::error')).toBe(codes.length > 0);
  });
});

test.each([
  ['a file that cannot be written', ['-o', 'no/such/folder'], /^cannot write .*: no such file or directory$/],
  ['tests that are not there', ['--test', 'missing'], /^--test: no such file or folder: /],
  ['a flag without its other', ['--junit', 'report.xml'], /^--junit needs --test$/],
])('compile says it in JSON: %s', async (_, flags, message) => {
  const paths = flags.map((flag) => (flag.startsWith('-') ? flag : at(flag)));
  const { code, out } = await talon('compile', at('rules.yaml'), ...paths, '--format', 'json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    bundle: null,
    diagnostics: [{ code: 'T1006', severity: 'error', message: expect.stringMatching(message) }],
  });
});

describe('files of tests among the rules files', () => {
  const both = () => ['tested/rules.yaml', 'tested/rules.test.yaml'].map(at);

  test('are left out by compile, with a word', async () => {
    const { code, out, err } = await talon('compile', ...both());
    expect({ code, err }).toEqual({ code: 0, err: 'leaving out 1 *.test.yaml file: --test runs them\n' });
    expect(out).toMatch(/^compiled 1 rule: /);
    const { out: tested } = await talon('compile', ...both(), '--test');
    expect(tested).toContain('1 passed');
  });

  test('are named as such where nothing else is given', async () => {
    const [, tests = ''] = both();
    for (const argv of [
      ['compile', tests],
      ['rules', 'check', '-r', tests],
    ]) {
      const { code, err } = await talon(...argv);
      expect(code).toBe(1);
      expect(err).toContain('= hint: this is a file of tests: `talon compile --test` runs it');
    }
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TerminalSetup } from './recording-terminal.ts';
import { runRecorded } from './run-recorded.ts';

let folder: string;
const at = (name: string): string => path.join(folder, name);

const RULES = `- rule: Shells
  match: { rules: [Shell] }
  actions:
    - action: Mark
      actionner: kubernetes:label
      parameters: { labels: { a: b } }
    - action: Kill
      actionner: kubernetes:terminate
`;
const POLICIES = `- policy: Protected
  actionners: [destructive]
  deny:
    - { expression: 'target.namespace == "kube-system"', message: the namespace is protected }
- policy: Often
  budgets: [{ max: 2, window: 1m }]
`;
const BAD = POLICIES.replace('target.namespace', 'target.owner.name');
const TESTS = `tests:
  - name: allowed
    event: { rule: Shell, output_fields: { k8s.ns.name: shop, k8s.pod.name: cart } }
    action: { actionner: kubernetes:terminate }
    expect: { verdict: allowed, monitored: [] }
  - name: denied
    from: allowed
    change: { output_fields: { k8s.ns.name: kube-system } }
    expect: { verdict: denied, policy: Protected }
  - name: parked
    from: allowed
    used: [{ ago: 59s, times: 2 }]
    expect: { verdict: parked, reason: the budget of 2 actions in 1m per target is spent }
  - name: a misspelt variable
    policies_text: |
      - policy: P
        deny: [{ expression: traget.verified, message: m }]
    expect:
      diagnostics: [{ code: T1908, line: 2, column: 24 }]
`;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-guards-'));
  writeFileSync(at('rules.yaml'), RULES);
  writeFileSync(at('policies.yaml'), POLICIES);
  writeFileSync(at('bad.yaml'), BAD);
  writeFileSync(at('some.test.yaml'), TESTS);
  writeFileSync(at('alert.json'), '{"rule":"Shell","output_fields":{"k8s.ns.name":"shop","k8s.pod.name":"cart"}}');
  const files = `rules_files: [${at('rules.yaml')}]\npolicies_files: [${at('bad.yaml')}]\n`;
  writeFileSync(at('config.yaml'), `${files}log_format: text\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function talon(argv: readonly string[], setup: TerminalSetup = {}) {
  return runRecorded(argv, { env: { LOG_FORMAT: 'text', TZ: 'UTC' }, ...setup }, folder);
}
const withoutTime = (lines: string): string => lines.replace(/^\S+ /gm, '');
const FAULT = /^bad\.yaml:4:22: error T1909: `target\.owner` may be missing$/m;

describe('rules check', () => {
  test('says of both that they are valid', async () => {
    const { code, out, err } = await talon(['rules', 'check', '-r', at('rules.yaml'), '-p', at('policies.yaml')]);
    expect({ code, out: withoutTime(out), err }).toEqual({
      code: 0,
      out: 'INF rules result="rules file valid"\nINF policies result="policies valid"\n',
      err: '',
    });
  });

  test('refuses policies, and draws why', async () => {
    const { code, out, err } = await talon(['rules', 'check', '-r', at('rules.yaml'), '-p', at('bad.yaml')]);
    expect({ code, out: withoutTime(out) }).toEqual({
      code: 1,
      out: 'INF rules result="rules file valid"\nFTL policies error="invalid policies"\n',
    });
    expect(err).toMatch(FAULT);
  });

  test('takes the files of the configuration, which flags replace', async () => {
    expect((await talon(['rules', 'check', '-c', at('config.yaml')])).err).toMatch(FAULT);
    expect((await talon(['rules', 'check', '-c', at('config.yaml'), '-p', at('policies.yaml')])).code).toBe(0);
  });

  test('a file that is not there', async () => {
    const { code, err } = await talon(['rules', 'check', '-r', at('rules.yaml'), '-p', at('none.yaml')]);
    expect(code).toBe(1);
    expect(err).toContain('error T1001: cannot read `none.yaml`: no such file or directory');
  });
});

describe('compile', () => {
  test('puts the policies into the bundle', async () => {
    const argv = ['compile', at('rules.yaml'), '-p', at('policies.yaml'), '-o', at('bundle.tar.gz')];
    const { code, out } = await talon(argv);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^wrote .*: 1 rule and 2 policies, /) });
    const { out: plan } = await talon(['eval', at('alert.json'), '--bundle', at('bundle.tar.gz')]);
    expect(plan).toContain('guarded by Protected, Often');
  });

  test('makes no bundle with policies that are refused', async () => {
    const { code, err } = await talon(['compile', at('rules.yaml'), '-p', at('bad.yaml'), '-o', at('none.tar.gz')]);
    expect(code).toBe(1);
    expect(err).toMatch(FAULT);
    expect((await talon(['compile', '-c', at('config.yaml')])).err).toMatch(FAULT);
  });

  test.each([
    ['beside the rules', () => [at('rules.yaml'), '-p', at('policies.yaml'), '--test']],
    ['beside the policies alone', () => ['-p', at('policies.yaml'), '--test']],
    ['named', () => ['-p', at('policies.yaml'), '--test', at('some.test.yaml')]],
  ])('runs tests %s', async (_, argv) => {
    const { code, out, err } = await talon(['compile', ...argv()]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('ok    some.test.yaml  4 tests\n');
    expect(out).toContain(
      'coverage of policies.yaml: 2 of 2 policies let an action pass, 1 of 1 denials stopped one\n',
    );
    expect(out).toContain('4 passed, 0 failed');
  });

  test('says what a failing test expected, and what no test shows', async () => {
    writeFileSync(
      at('failing.test.yaml'),
      `policies: [policies.yaml]\n${TESTS.replace('k8s.ns.name: kube-system', 'k8s.ns.name: shop').replace('ago: 59s', 'ago: 60s')}`,
    );
    const { code, out } = await talon(['compile', '--test', at('failing.test.yaml')]);
    rmSync(at('failing.test.yaml'));
    expect(code).toBe(1);
    expect(out).toContain('denied (failing.test.yaml:7:5)\n        expected denied, got allowed\n');
    expect(out).toContain('        expected a stop by `Protected`, got allowed\n');
    expect(out).toContain('        expected parked, got allowed\n');
    expect(out).toContain('    Protected\n      never stopped: target.namespace == "kube-system"\n');
  });

  test('says what is wrong with the policies of a test', async () => {
    writeFileSync(at('broken.test.yaml'), `policies: [bad.yaml]\n${TESTS}`);
    const { code, out, err } = await talon(['compile', '--test', at('broken.test.yaml')]);
    rmSync(at('broken.test.yaml'));
    expect(code).toBe(1);
    expect(out).toContain('the policies do not compile: bad.yaml:4:22: `target.owner` may be missing');
    expect(err).toMatch(FAULT);
  });

  test('tests of policies need policies', async () => {
    const { code, out } = await talon(['compile', '--test', at('some.test.yaml')]);
    expect(code).toBe(1);
    expect(out).toContain('it names no `policies`, and the command line names no policies files either');
  });
});

describe('eval', () => {
  test('shows which policies an action has to pass', async () => {
    const { out } = await talon(['eval', at('alert.json'), '-r', at('rules.yaml'), '-p', at('policies.yaml')]);
    expect(out).toBe(
      [
        'alert.json:1:',
        '  Shells',
        '    1. Mark  kubernetes:label  {"labels":{"a":"b"}}',
        '       guarded by Often',
        '    2. Kill  kubernetes:terminate',
        '       guarded by Protected, Often',
        '',
      ].join('\n'),
    );
  });

  test('takes no policies beside a bundle', async () => {
    const { code, err } = await talon(['eval', '--bundle', at('bundle.tar.gz'), '-p', at('policies.yaml')]);
    expect(code).toBe(1);
    expect(err).toContain('a bundle brings its own policies: compile them into it with -p');
  });

  test('refuses policies as it refuses rules', async () => {
    const { code, err } = await talon(['eval', at('alert.json'), '-r', at('rules.yaml'), '-p', at('bad.yaml')]);
    expect(code).toBe(1);
    expect(err).toMatch(FAULT);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TerminalSetup } from './recording-terminal.ts';
import { runRecorded } from './run-recorded.ts';

let folder: string;
const at = (name: string): string => path.join(folder, name);

const RULES = `- action: Label
  actionner: kubernetes:label
  parameters: { labels: { a: "1" } }
- rule: Shells
  match:
    rules: [Terminal shell in container, Run shell untrusted]
    priority: ">=Notice"
    output_fields: [k8s.ns.name=shop]
  continue: false
  actions:
    - action: Label
- rule: Rehearsal
  match:
    priority: Notice
  dry_run: true
  actions:
    - action: Label
`;
const BAD = `- rule: R
  actions:
    - action: Label
      actionner: kubernetes:lable
`;
const ALERT = '{"rule":"Run shell untrusted","priority":"Notice","output_fields":{"k8s.ns.name":"shop"}}';
const OTHER = '{"rule":"Other","priority":"Notice","output_fields":{"k8s.ns.name":"shop"}}';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-cli-'));
  writeFileSync(at('rules.yaml'), RULES);
  writeFileSync(at('bad.yaml'), BAD);
  writeFileSync(at('config.yaml'), `rules_files: [${JSON.stringify(at('rules.yaml'))}]\nlog_format: text\n`);
  writeFileSync(at('broken.yaml'), 'listen_port: [');
  writeFileSync(at('alerts.jsonl'), `${ALERT}\n${OTHER}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function talon(argv: readonly string[], setup: TerminalSetup = {}) {
  return runRecorded(argv, { env: { LOG_FORMAT: 'text', TZ: 'UTC' }, ...setup }, folder);
}
const withoutTime = (lines: string): string => lines.replace(/^\S+ /gm, '');

describe('rules check', () => {
  test('valid rules: one line of Falco Talon, nothing else', async () => {
    const { code, out, err } = await talon(['rules', 'check', '-r', at('rules.yaml')]);
    expect({ code, out: withoutTime(out), err }).toEqual({
      code: 0,
      out: 'INF rules result="rules file valid"\n',
      err: '',
    });
  });

  test("refused rules: Falco Talon's lines on stdout, the place drawn on stderr, exit code 1", async () => {
    const { code, out, err } = await talon(['rules', 'check', '-r', at('bad.yaml')]);
    expect(code).toBe(1);
    expect(withoutTime(out)).toBe(
      'ERR rules error="unknown actionner" action=Label actionner=kubernetes:lable rule=R\nFTL rules error="invalid rules"\n',
    );
    expect(err).toMatch(/^bad\.yaml:4:18: error T1301: .*kubernetes:lable/m);
    expect(err).toContain('  |       actionner: kubernetes:lable\n  |                  ^^^^^^^^^^^^^^^^\n');
    expect(err).toContain('did you mean `kubernetes:label`?');
  });

  test('as an alias of older days, with the flag before the command, and the lines in JSON', async () => {
    const { code, out } = await talon(['-r', at('bad.yaml'), 'check'], { env: { LOG_FORMAT: 'json' } });
    expect(code).toBe(1);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { level: 'error', rule: 'R', error: 'unknown actionner', message: 'rules' },
      { level: 'fatal', error: 'invalid rules', message: 'rules' },
    ]);
  });

  test('for programs, findings replace the log lines', async () => {
    const json = await talon(['rules', 'check', '-r', at('bad.yaml'), '--format', 'json']);
    expect(json).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(json.out)).toMatchObject([{ code: 'T1301', place: { file: 'bad.yaml', line: 4, column: 18 } }]);
    const github = await talon(['rules', 'check', '-r', at('bad.yaml'), '--format', 'github']);
    expect(github.out).toMatch(/^::error file=bad\.yaml,line=4,col=18,/);
  });

  test('the rules files of the configuration, of the environment, and one that is not there', async () => {
    expect((await talon(['rules', 'check', '-c', at('config.yaml')])).code).toBe(0);
    expect((await talon(['rules', 'check'], { env: { RULES_FILES: at('bad.yaml') } })).code).toBe(1);
    const { code, out } = await talon(['rules', 'check', '-r', at('rules.yaml'), '-r', at('nowhere.yaml')]);
    expect(code).toBe(1);
    expect(withoutTime(out)).toContain('ERR rules error="open nowhere.yaml: no such file or directory"\n');
  });

  test('a configuration that cannot be read is a line, too', async () => {
    for (const [file, reason] of [
      ['nowhere.yaml', 'error when reading config file: '],
      ['broken.yaml', 'error when reading config file: '],
    ] as const) {
      const { code, out, err } = await talon(['rules', 'check', '-c', at(file)], { env: { NO_COLOR: '1' } });
      expect({ code, err }).toEqual({ code: 1, err: '' });
      expect(withoutTime(out)).toContain(`FTL config error="${reason}`);
    }
  });

  test('colours: in the log lines as Falco Talon, in the drawing only on a terminal', async () => {
    const argv = ['rules', 'check', '-r', at('bad.yaml')];
    const piped = await talon(argv, { env: {} });
    expect([piped.out.includes('\x1b['), piped.err.includes('\x1b[')]).toEqual([true, false]);
    const terminal = await talon(argv, { env: {}, onTerminal: true });
    expect([terminal.out.includes('\x1b['), terminal.err.includes('\x1b[')]).toEqual([true, true]);
    const plain = await talon(argv, { env: { NO_COLOR: '1' }, onTerminal: true });
    expect([plain.out.includes('\x1b['), plain.err.includes('\x1b[')]).toEqual([false, false]);
  });
});

describe('rules print', () => {
  test('the merged rules', async () => {
    const { code, out } = await talon(['rules', 'print', '-r', at('rules.yaml')]);
    expect(code).toBe(0);
    expect(out).toMatch(/^---\n- rule: Shells\n/);
    expect(out).toContain('continue: "false"');
  });

  test('an unknown actionner is printed, a broken structure is not', async () => {
    expect((await talon(['rules', 'print', '-r', at('bad.yaml')])).out).toContain('actionner: kubernetes:lable');
    writeFileSync(at('empty.yaml'), '- rule: R\n');
    const { code, out, err } = await talon(['rules', 'print', '-r', at('empty.yaml')]);
    expect(code).toBe(1);
    expect(withoutTime(out)).toBe('ERR rules error="no action specified" rule=R\nFTL rules error="invalid rules"\n');
    expect(err).toContain('empty.yaml:1:');
  });
});

describe('eval', () => {
  test('plans as text', async () => {
    const { code, out } = await talon(['eval', at('alerts.jsonl'), '-r', at('rules.yaml')]);
    expect(code).toBe(0);
    expect(out).toBe(`alerts.jsonl:1:
  Shells
    1. Label  kubernetes:label  {"labels":{"a":"1"}}
alerts.jsonl:2:
  Rehearsal  (dry run)
    1. Label  kubernetes:label  {"labels":{"a":"1"}}
`);
  });

  test('plans as JSON lines, from stdin; one that is no alert is named and ends with 1', async () => {
    const { code, out } = await talon(['eval', '-r', at('rules.yaml'), '--format', 'json'], {
      input: [`${ALERT}\n{"rule":5}\n{}\n`],
    });
    expect(code).toBe(1);
    const [first, second, third] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      alert: 'stdin:1',
      rules: ['Shells'],
      plan: { rules: [{ rule: 'Shells', actions: [{ action: 'Label' }] }] },
    });
    expect(second).toEqual({
      alert: 'stdin:2',
      error: { code: 2, message: 'a field has the wrong type', offset: expect.any(Number) },
    });
    expect(third).toMatchObject({ alert: 'stdin:3', rules: [] });
  });

  test('from a bundle, and not from something else', async () => {
    await talon(['compile', at('rules.yaml'), '-o', at('bundle.tar.gz')]);
    const rules = await talon(['eval', at('alerts.jsonl'), '-r', at('rules.yaml')]);
    expect(await talon(['eval', at('alerts.jsonl'), '--bundle', at('bundle.tar.gz')])).toEqual(rules);
    const { code, err } = await talon(['eval', at('alerts.jsonl'), '--bundle', at('rules.yaml')]);
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: .+\n$/);
    expect((await talon(['eval', '--bundle', at('no.tar.gz')])).err).toContain(
      'cannot read no.tar.gz: no such file or directory',
    );
  });

  test('refused rules are drawn on stderr', async () => {
    const { code, out, err } = await talon(['eval', at('alerts.jsonl'), '-r', at('bad.yaml')]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('bad.yaml:4:18: error');
  });
});

describe('explain', () => {
  test('the criteria that failed, and rules that are not reached', async () => {
    const { code, out } = await talon(['explain', at('alerts.jsonl'), '-r', at('rules.yaml')]);
    expect(code).toBe(0);
    expect(out).toContain('alerts.jsonl:1: Run shell untrusted, Notice\n  Shells: matches\n');
    expect(out).toContain('  Rehearsal: matches, but is not reached: "Shells" has continue: false\n');
    expect(out).toMatch(
      /alerts\.jsonl:2: Other, Notice\n {2}Shells: does not match\n {4}fails {2}match\.rules\[0\]: rule is `Other`/,
    );
    expect(out).not.toContain('fails  match.priority');
  });

  test('one name of two is enough', async () => {
    const { out } = await talon(['explain', '-r', at('rules.yaml')], {
      input: ['{"rule":"Run shell untrusted","priority":"Debug"}'],
    });
    expect(out).not.toContain('match.rules');
    expect(out).toContain('fails  match.priority');
  });

  test('all terms of one rule, and a rule that does not exist', async () => {
    const { out } = await talon([
      'explain',
      at('alerts.jsonl'),
      '-r',
      at('rules.yaml'),
      '--rule',
      'Rehearsal',
      '--all',
    ]);
    expect(out).not.toContain('Shells: ');
    expect(out).toContain('    holds  match.priority: ');
    const { code, err } = await talon(['explain', at('alerts.jsonl'), '-r', at('rules.yaml'), '--rule', 'No']);
    expect({ code, err }).toEqual({ code: 1, err: 'Error: no rule is named `No`\n' });
    const misspelt = await talon(['explain', at('alerts.jsonl'), '-r', at('rules.yaml'), '--rule', 'Shell']);
    expect(misspelt.err).toBe('Error: no rule is named `Shell`, did you mean `Shells`?\n');
  });

  test('nothing of an alert reaches the terminal as a control character', async () => {
    const hostile = JSON.stringify({ rule: '\x1b[31m\u009b31m\u202e\r\nfake', priority: '\x07' });
    for (const command of ['explain', 'eval']) {
      const { out } = await talon([command, '-r', at('rules.yaml')], { input: [hostile] });
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});

describe('compile', () => {
  test('writes a bundle, the same bytes each time', async () => {
    const first = await talon(['compile', at('rules.yaml'), '-o', at('a.tar.gz')]);
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^wrote a\.tar\.gz: 2 rules, \d+ bytes, revision [0-9a-f]{64}\n$/);
    await talon(['compile', '-r', at('rules.yaml'), '-o', at('b.tar.gz')]);
    expect(readFileSync(at('a.tar.gz'))).toEqual(readFileSync(at('b.tar.gz')));
  });

  test('without -o it only says what it would be', async () => {
    const { code, out } = await talon(['compile', at('rules.yaml')]);
    expect(code).toBe(0);
    expect(out).toMatch(/^compiled 2 rules: module of \d+ bytes, revision /);
  });

  test('refused rules write nothing', async () => {
    const { code, out, err } = await talon(['compile', at('bad.yaml'), '-o', at('never.tar.gz')]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('error T1301');
    expect(existsSync(at('never.tar.gz'))).toBe(false);
  });

  test('what Falco Talon would not understand, on request', async () => {
    writeFileSync(at('cel.yaml'), RULES.replace('priority: Notice', 'condition: event.priority == "Notice"'));
    expect((await talon(['compile', at('cel.yaml')])).code).toBe(0);
    const { code, err } = await talon(['compile', at('cel.yaml'), '--strict-talon']);
    expect(code).toBe(1);
    expect(err).toContain('error T1403');
  });

  test.each([
    [['--junit', 'x.xml'], '--junit needs --test'],
    [['-o', '/nowhere/b.tar.gz'], 'cannot write /nowhere/b.tar.gz: no such file or directory'],
    [['--test', '/nowhere'], 'no such file or folder: /nowhere'],
  ])('%j', async (flags, message) => {
    const { code, err } = await talon(['compile', at('rules.yaml'), ...flags]);
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: /);
    expect(err).toContain(message);
  });
});

describe('compile --test', () => {
  const TEST = `tests:
  - name: a shell
    event: ${ALERT}
    expect: { rules: [Shells], plan: [{ action: Label }] }
  - name: a "rehearsal" & more
    event: ${OTHER}
    expect: { rules: [Shells] }
`;

  function inFolder(name: string, files: Readonly<Record<string, string>>): (file: string) => string {
    const inner = mkdtempSync(at(`${name}-`));
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(inner, file), text);
    return (file) => path.join(inner, file);
  }

  test('failures are shown, the bundle is not written, the exit code is 1', async () => {
    const place = inFolder('failing', { 'rules.yaml': RULES, 'x.test.yaml': TEST });
    const argv = ['compile', place('rules.yaml'), '--test', '-o', place('b.tar.gz'), '--junit', place('r.xml')];
    const { code, out } = await talon(argv);
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL .*x\.test\.yaml {2}2 tests\n {6}a "rehearsal" & more \(.*x\.test\.yaml:5:5\)\n/);
    expect(out).toContain('expected rules `Shells`, got rules `Rehearsal`\n');
    expect(out).toContain(
      'rules.yaml: 2 of 2 rules matched, 1 of 5 terms both held and failed\n    Shells\n      never held: Terminal shell in container\n',
    );
    expect(out).toMatch(/\n1 passed, 1 failed\n$/);
    expect(existsSync(place('b.tar.gz'))).toBe(false);
    const xml = readFileSync(place('r.xml'), 'utf8');
    expect(xml).toContain('tests="2" failures="1" errors="0"');
    expect(xml).toContain('name="a &quot;rehearsal&quot; &amp; more"');
  });

  test('passing tests let the bundle be written', async () => {
    const passing = TEST.replace(
      'expect: { rules: [Shells] }',
      'expect: { rules: [Rehearsal], plan: [{ dry_run: true }] }',
    );
    const place = inFolder('passing', { 'rules.yaml': RULES, 'x.test.yaml': passing });
    const { code, out } = await talon(['compile', place('rules.yaml'), '--test', '-o', place('b.tar.gz')]);
    expect(code).toBe(0);
    expect(out).toMatch(/\n2 passed, 0 failed\nwrote .*b\.tar\.gz: 2 rules/);
  });

  test('each test file with the rules that it names, of which some must be refused', async () => {
    const bad = `rules: [bad.yaml]
tests:
  - name: a misspelt actionner
    expect: { diagnostics: [{ severity: error, message: unknown actionner, line: 4 }] }
`;
    const text = `tests:
  - name: rules of its own
    rules_text: |
      - rule: All
        actions: [{ action: L, actionner: kubernetes:label, parameters: { labels: { a: b } } }]
    event: { rule: X }
    expect: { rules: [All] }
  - name: refused ones
    rules_text: "- rule: R"
    expect: { diagnostics: [{ message: no action }] }
`;
    const place = inFolder('named', { 'bad.yaml': BAD, 'bad.test.yaml': bad, 'own.test.yaml': text });
    const { code, out, err } = await talon(['compile', '--test', place('')]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/\n3 passed, 0 failed\n$/);
  });

  test('a mistake in a test file is drawn, and fails', async () => {
    const place = inFolder('mistaken', {
      'rules.yaml': RULES,
      'x.test.yaml': TEST.replace('rules: [Shells], plan', 'rule: [Shells], plan'),
    });
    const { code, out, err } = await talon(['compile', place('rules.yaml'), '--test']);
    expect(code).toBe(1);
    expect(err).toMatch(/x\.test\.yaml:4:15: error T1801: unknown key `rule` in `expect`/);
    expect(err).toContain('did you mean `rules`?');
    expect(out).toMatch(/\n0 passed, 1 failed\n$/);
  });

  test('rules that do not compile fail the tests that need them', async () => {
    const place = inFolder('refused', { 'rules.yaml': BAD, 'x.test.yaml': TEST });
    const { code, out, err } = await talon(['compile', place('rules.yaml'), '--test']);
    expect(code).toBe(1);
    expect(err).toContain('error T1301');
    expect(out).toContain('the rules do not compile: ');
    expect(out).toMatch(/\n0 passed, 2 failed\n$/);
  });

  test('an alert that is none fails its test', async () => {
    const place = inFolder('no-alert', {
      'rules.yaml': RULES,
      'x.test.yaml': TEST.replace('"priority":"Notice"', '"priority":5'),
    });
    expect((await talon(['compile', place('rules.yaml'), '--test'])).out).toContain(
      'the alert is refused: a field has the wrong type',
    );
  });

  test('nothing to test is a fault', async () => {
    const place = inFolder('nothing', { 'rules.yaml': RULES });
    expect(await talon(['compile', place('rules.yaml'), '--test'])).toMatchObject({
      code: 1,
      err: 'Error: --test: no *.test.yaml files beside the rules files\n',
    });
  });

  test('a test file without rules, where the command line has none either', async () => {
    const place = inFolder('no-rules', { 'x.test.yaml': TEST });
    const { code, out } = await talon(['compile', '--test', place('')]);
    expect(code).toBe(1);
    expect(out).toContain('it names no `rules`, and the command line names no rules files either');
  });

  test('for programs: one JSON object, or annotations', async () => {
    const place = inFolder('programs', { 'rules.yaml': RULES, 'x.test.yaml': TEST });
    const json = await talon(['compile', place('rules.yaml'), '--test', '--format', 'json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      bundle: null,
      diagnostics: [],
      tests: {
        passed: 1,
        failed: 1,
        files: [
          {
            cases: [
              { name: 'a shell', passed: true },
              { line: 5, passed: false },
            ],
          },
        ],
      },
      coverage: [
        {
          rules: [
            { rule: 'Shells', matched: 1 },
            { rule: 'Rehearsal', matched: 1 },
          ],
        },
      ],
    });
    const github = await talon(['compile', place('rules.yaml'), '--test', '--format', 'github']);
    expect(github.out).toMatch(/^::error file=.*x\.test\.yaml,line=5,col=5,.*expected rules `Shells`/);
  });
});

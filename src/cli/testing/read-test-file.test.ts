import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parameterMap } from '../../compiler/parameter-value.ts';
import { readTestFile } from './read-test-file.ts';

function read(text: string, file = 'x.test.yaml') {
  const { test: testFile, diagnostics } = readTestFile(file, Buffer.from(text));
  return {
    cases: testFile?.cases,
    rules: testFile?.rules,
    events: testFile?.cases.map(({ event }) => (event ? Buffer.from(event).toString() : undefined)),
    faults: diagnostics.map(({ code, message, place }) => `${place?.line}:${place?.column} ${code} ${message}`),
  };
}

describe('alerts', () => {
  test('an inline alert becomes JSON, with its numbers digit by digit', () => {
    const { events, faults } = read(`tests:
  - name: a
    event:
      rule: X
      tags: [a, "1"]
      output_fields: { evt.time: 1767262502000000001, x: 1.50, hex: 0x10, none: null, off: false, text: "5", d: 2026-01-01 }
    expect: { rules: [] }
`);
    expect(faults).toEqual([]);
    expect(events).toEqual([
      '{"rule":"X","tags":["a","1"],"output_fields":{"evt.time":1767262502000000001,"x":1.50,"hex":16,"none":null,"off":false,"text":"5","d":"2026-01-01"}}',
    ]);
  });

  test('another case with changes: keys replace, output fields one by one, some are removed', () => {
    const { events, faults } = read(`tests:
  - name: a
    event: { rule: X, priority: Notice, tags: [a], output_fields: { k: 1, l: 2, m: 3 } }
    expect: { rules: [] }
  - name: b
    from: a
    change: { rule: Y, output_fields: { l: null, n: 4 } }
    remove: [tags, output_fields.k]
    expect: { rules: [] }
  - name: c
    from: b
    expect: { rules: [] }
`);
    expect(faults).toEqual([]);
    expect(events?.[1]).toBe('{"rule":"Y","priority":"Notice","output_fields":{"l":null,"m":3,"n":4}}');
    expect(events?.[2]).toBe(events?.[1]);
  });

  describe('from a file', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'talon-test-file-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    test('its bytes are evaluated as they are, and can be changed', () => {
      writeFileSync(path.join(folder, 'alert.json'), '{ "rule": "X",  "n": 1e400 } trailing');
      const { events, faults } = read(
        `tests:
  - name: a
    event_file: alert.json
    expect: { rules: [] }
  - name: b
    from: a
    change: { rule: Y }
    expect: { rules: [] }
`,
        path.join(folder, 'x.test.yaml'),
      );
      expect(faults).toEqual([]);
      expect(events).toEqual(['{ "rule": "X",  "n": 1e400 } trailing', '{"rule":"Y","n":1e400}']);
    });

    test('a file that is not there, or that is no JSON object where it is changed', () => {
      writeFileSync(path.join(folder, 'broken.json'), '{"rule":');
      const { faults } = read(
        `tests:
  - name: a
    event_file: nowhere.json
    expect: { rules: [] }
  - name: b
    event_file: broken.json
    change: { rule: Y }
    expect: { rules: [] }
`,
        path.join(folder, 'x.test.yaml'),
      );
      expect(faults).toEqual([
        '3:17 T1806 cannot read `nowhere.json`: ENOENT',
        '7:13 T1803 `change` needs an alert that is a JSON object',
      ]);
    });
  });
});

test('rules files are relative to the test file', () => {
  expect(
    read(
      'rules: [a.yaml, ../b.yaml, /c.yaml]\ntests:\n  - name: a\n    expect: { diagnostics: [] }',
      'some/where/x.test.yaml',
    ).rules,
  ).toEqual(['some/where/a.yaml', 'some/b.yaml', '/c.yaml']);
});

test('all kinds of expectations', () => {
  const { cases, faults } = read(`tests:
  - name: a
    rules_text: "- rule: X"
    event: { rule: X }
    expect:
      rules: [R]
      plan:
        - { rule: R, action: A, actionner: "kubernetes:label", dry_run: true, parameters: { n: 5, l: [a], m: { k: "1" } } }
      diagnostics:
        - { code: T1203, severity: error, message: no action, line: 1, column: 3 }
`);
  expect(faults).toEqual([]);
  expect(cases?.[0]).toMatchObject({
    rulesText: '- rule: X',
    place: { file: 'x.test.yaml', line: 2, column: 5 },
    expect: {
      rules: ['R'],
      plan: [
        {
          rule: 'R',
          action: 'A',
          actionner: 'kubernetes:label',
          dry_run: true,
        },
      ],
      diagnostics: [{ code: 'T1203', severity: 'error', message: 'no action', line: 1, column: 3 }],
    },
  });
  const parameters = parameterMap(cases?.[0]?.expect.plan?.[0]?.parameters);
  expect(parameters).toEqual({ n: 5, l: ['a'], m: { k: '1' } });
});

test('a case for guards, and another one that starts from it', () => {
  const { cases, faults } = read(`policies: [p.yaml]
tests:
  - name: a
    event: { rule: X }
    rule: R
    action: { name: Kill, actionner: kubernetes:terminate, parameters: { grace_period_seconds: 5 } }
    target:
      labels: { version: 1.10 }
      owner: { kind: DaemonSet, name: agent }
      node: { name: n, labels: { a: b } }
      containers: [0123456789ab]
    now: 2026-01-31T23:00:00+01:00
    used:
      - { ago: 1h30m, times: 3, pod: other }
      - { ago: 30s }
    expect: { verdict: denied, policy: P, reason: because, monitored: [Q] }
  - name: b
    from: a
    action: { parameters: {} }
    target: {}
    used: []
    expect: { verdict: allowed }
`);
  expect(faults).toEqual([]);
  const first = {
    rule: 'R',
    action: 'Kill',
    actionner: 'kubernetes:terminate',
    parameters: { grace_period_seconds: 5 },
    pod: {
      uid: 'uid-of-the-test',
      labels: { version: '1.10' },
      owner: { kind: 'DaemonSet', name: 'agent' },
      node: 'n',
      containerIds: ['0123456789ab'],
    },
    node: { name: 'n', labels: { a: 'b' }, hostnames: ['n'] },
    now: Date.UTC(2026, 0, 31, 22),
    used: [
      { ago: 5400, times: 3, pod: 'other' },
      { ago: 30, times: 1 },
    ],
  };
  expect(cases?.[0]).toMatchObject({
    guarded: first,
    expect: { verdict: { kind: 'denied', policy: 'P', reason: 'because', monitored: ['Q'] } },
  });
  expect(cases?.[1]?.guarded).toEqual({
    ...first,
    parameters: {},
    pod: { uid: 'uid-of-the-test', labels: {}, owner: null, node: '', containerIds: [] },
    node: { name: '', labels: {}, hostnames: [''] },
    used: [],
  });
});

describe('mistakes are named with their place', () => {
  const CASE = 'tests:\n  - name: a\n    event: { rule: X }\n';
  test.each([
    ['', '1:1 T1803 a test file has a list `tests`'],
    ['- a', '1:1 T1802 a test file is a mapping'],
    ['test: []', '1:1 T1801 unknown key `test` in a test file'],
    ['tests: 5', '1:8 T1802 `tests` is a list'],
    ['tests:\n  - 5', '2:5 T1802 a test is a mapping'],
    [`${CASE}    expect: { rule: [] }`, '4:15 T1801 unknown key `rule` in `expect`'],
    [`${CASE}    expect: {}`, '4:13 T1803 `expect` has at least one of `rules`, `plan`, `diagnostics` and `verdict`'],
    [CASE, '2:5 T1803 a test has an `expect`'],
    [`${CASE}    expect: { rules: R }`, '4:22 T1802 `rules` is a list'],
    [`${CASE}    expect: { rules: [[R]] }`, '4:23 T1802 `rules` is a list of texts'],
    [`${CASE}    expect: { plan: [{ actioner: x }] }`, '4:24 T1801 unknown key `actioner` in a planned action'],
    [`${CASE}    expect: { plan: [{ dry_run: yes }] }`, '4:33 T1802 `dry_run` is true or false, not `yes`'],
    [`${CASE}    expect: { plan: [{ parameters: 5 }] }`, '4:36 T1802 `parameters` is a mapping'],
    [`${CASE}    expect: { diagnostics: [{ line: 0 }] }`, '4:37 T1802 `line` is a number from 1 on, not `0`'],
    [`${CASE}    from: a\n    expect: { rules: [] }`, '4:11 T1801 a test has one of `event`, `from`'],
    [
      'tests:\n  - name: a\n    expect: { rules: [] }',
      '2:5 T1803 a test that expects rules or a plan has an `event`, an `event_file` or a `from`',
    ],
    ['tests:\n  - name: a\n    from: b\n    expect: { rules: [] }', '3:11 T1805 no test named `b` stands above'],
    ['tests:\n  - event: { rule: X }\n    expect: { rules: [] }', '2:5 T1803 a test has a `name`'],
    [
      `${CASE}    expect: { rules: [] }\n  - name: a\n    from: a\n    expect: { rules: [] }`,
      '5:11 T1804 a test named `a` stands above',
    ],
    [`${CASE}    remove: [tags]\n    expect: { rules: [] }`, '4:13 T1803 the alert has no `tags` to remove'],
    ['tests:\n  - name: a\n    event: X\n    expect: { rules: [] }', '3:12 T1802 `event` is a mapping'],
    [`${CASE}    expect: { verdict: denied }`, '2:5 T1803 a test that expects a verdict has an alert'],
    [
      'tests:\n  - name: a\n    action: { actionner: kubernetes:label }\n    expect: { verdict: denied }',
      '2:5 T1803 a test that expects a verdict has an alert',
    ],
    [`${CASE}    action: { name: x }\n    expect: { verdict: denied }`, '4:13 T1803 `action` has an `actionner`'],
    [`${CASE}    action: { actionner: a:b }`, '4:26 T1802 no actionner `a:b`'],
    [`${CASE}    action: kubernetes:label`, '4:13 T1802 `action` is a mapping'],
    [`${CASE}    action: { actionners: x }`, '4:15 T1801 unknown key `actionners` in `action`'],
    [`${CASE}    expect: { verdict: deny }`, '4:24 T1802 `verdict` is allowed, denied or parked, not `deny`'],
    [`${CASE}    target: { owner: { kind: Deployment } }`, '4:30 T1802 `kind` is DaemonSet, StatefulSet'],
    [`${CASE}    target: { label: {} }`, '4:15 T1801 unknown key `label` in `target`'],
    [`${CASE}    target: { labels: { a: [] } }`, '4:28 T1802 an item of `labels` is a text'],
    [`${CASE}    now: today`, '4:10 T1802 `now` is a time such as'],
    [`${CASE}    used: [{ times: 2 }]`, '4:12 T1803 an earlier use says how long `ago` it was'],
    [`${CASE}    used: [{ ago: yesterday }]`, '4:19 T1802 `ago` is a duration such as 10m'],
    ['tests: [', '1:9 T1101'],
    ['tests: []', '1:8 T1803 a test file has at least one test'],
    [`${CASE}    used: [{ ago: 1m, times: 100001 }]`, '4:30 T1802 `times` is at most 100000'],
    ['tests: []\ntests: []', '2:1 T1102 the key `tests` stands twice in this mapping'],
  ])('%j', (text, fault) => {
    const { cases, faults } = read(text);
    expect(cases).toBeUndefined();
    expect(faults.join('\n')).toContain(fault);
  });

  test('all at once', () => {
    expect(read('tests:\n  - nam: a\n    expect: { rules: 5 }').faults).toHaveLength(3);
  });

  test('what is not a text', () => {
    const { diagnostics } = readTestFile('x.test.yaml', Buffer.from([0xff, 0xfe, 0x41, 0x00]));
    expect(diagnostics.map(({ code }) => code)).toEqual(['T1002']);
  });
});

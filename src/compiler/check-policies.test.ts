import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalog } from '../cli/plugins/catalog.ts';
import { type CheckedPolicies, checkPolicies } from './check-policies.ts';
import { checkRules } from './check-rules.ts';
import { compile } from './compile.ts';
import { ERRORS } from './errors.ts';
import { renderDiagnostics } from './render-diagnostics.ts';

/** Files of policies with faults, and all that is said about them. UPDATE_GOLDEN=1 renews the texts. */
const FOLDER = path.join(import.meta.dirname, 'testdata', 'policies');
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.yaml') ? [file.replace('.yaml', '')] : []));

function checkFile(name: string): CheckedPolicies {
  const text = readFileSync(path.join(FOLDER, `${name}.yaml`), 'utf8');
  return checkPolicies([{ path: `${name}.yaml`, text }], catalog);
}

function check(text: string): CheckedPolicies {
  return checkPolicies([{ path: 'policies.yaml', text }], catalog);
}

describe('golden diagnostics of policies', () => {
  test.each(names)('%s', (name) => {
    const { diagnostics, sources, guards } = checkFile(name);
    const text = renderDiagnostics(diagnostics, sources, 'text');
    const golden = path.join(FOLDER, `${name}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    expect(guards).toBeUndefined();
  });

  test('show every code of policies', () => {
    const shown = new Set(names.flatMap((name) => checkFile(name).diagnostics.map(({ code }) => code)));
    expect(Object.keys(ERRORS).filter((code) => code.startsWith('T19') && !shown.has(code))).toEqual([]);
  });
});

test('a policy comes out as it is written, with its defaults', () => {
  const { guards, diagnostics } = check(`
- policy: Short
  deny: [{ expression: action.destructive, message: not now }]
- policy: Long
  description: All of it
  mode: monitor
  actionners: [kubernetes:*, kubernetes:*, destructive]
  deny:
    - expression: |
        target.namespace == "a" ||
        target.namespace == "b"
      message: one of two
  budgets:
    - { max: 3, window: 1h30m }
    - { max: 100, window: 24h, per: [namespace, rule] }
    - { max: 1, window: 1s, per: [] }
`);
  expect(diagnostics).toEqual([]);
  expect(guards).toEqual([
    {
      policy: 'Short',
      description: '',
      mode: 'enforce',
      actionners: [],
      deny: [{ expression: 'action.destructive', message: 'not now' }],
      budgets: [],
    },
    {
      policy: 'Long',
      description: 'All of it',
      mode: 'monitor',
      actionners: ['kubernetes:*', 'destructive'],
      deny: [{ expression: 'target.namespace == "a" ||\ntarget.namespace == "b"\n', message: 'one of two' }],
      budgets: [
        { max: 3, window: 5400, per: ['target'] },
        { max: 100, window: 86_400, per: ['rule', 'namespace'] },
        { max: 1, window: 1, per: [] },
      ],
    },
  ]);
});

test('names are compared over all files, which keep their order', () => {
  const text = '- policy: One\n  deny: [{ expression: "false", message: m }]\n';
  const files = [
    { path: 'a.yaml', text },
    { path: 'b.yaml', text: text.replace('One', 'Two') },
    { path: 'c.yaml', text },
    { path: 'd.yaml', problem: 'no such file or directory' },
  ];
  const { diagnostics } = checkPolicies(files, catalog);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'T1903 there is a policy `One` at a.yaml:1 already',
    'T1001 cannot read `d.yaml`: no such file or directory',
  ]);
  expect(checkPolicies(files.slice(0, 2), catalog).guards?.map(({ policy }) => policy)).toEqual(['One', 'Two']);
});

describe('with rules', () => {
  const rules = [
    { path: 'rules.yaml', text: '- rule: r\n  actions: [{ action: a, actionner: kubernetes:terminate }]\n' },
  ];
  const broken = [{ path: 'policies.yaml', text: '- policy: Broken\n' }];

  test('a broken policy leaves no bundle, whatever the rules are, and Falco Talon has no line for it', () => {
    const { bundle, diagnostics, records, rules: resolved, sources } = compile(rules, { catalog, policies: broken });
    expect(bundle).toBeUndefined();
    expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual(['T1906']);
    expect(records).toEqual([]);
    expect(resolved).toHaveLength(1);
    expect(sources.map((source) => source.path)).toEqual(['rules.yaml', 'policies.yaml']);
  });

  test('findings about both are there at once', () => {
    const bad = [{ path: 'rules.yaml', text: '- rule: r\n' }];
    const { diagnostics } = checkRules(bad, { catalog, policies: broken });
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, place }) => `${place?.file} ${code}`)).toEqual([
      'rules.yaml T1203',
      'policies.yaml T1906',
    ]);
  });
});

test('whatever the text is, there is no exception, and every place lies inside its file', () => {
  const shipped = path.join(import.meta.dirname, '..', '..', 'policies');
  const originals = [
    ...names.map((name) => readFileSync(path.join(FOLDER, `${name}.yaml`), 'utf8')),
    ...['protected-owners', 'termination-budgets'].map((name) =>
      readFileSync(path.join(shipped, `${name}.yaml`), 'utf8'),
    ),
  ];
  const signs = [
    '\n',
    '- policy: x\n',
    '&a ',
    '*a',
    ': ',
    '"',
    "'",
    '[',
    '}',
    '(',
    ')',
    '!',
    '&&',
    '.a',
    'has(',
    ' in ',
  ];
  const edit = fc.record({
    at: fc.nat(3000),
    drop: fc.nat(20),
    add: fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom(...signs)),
  });
  fc.assert(
    fc.property(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 4 }), (original, edits) => {
      const text = edits.reduce((changed, { at, drop, add }) => {
        const place = at % (changed.length + 1);
        return changed.slice(0, place) + add + changed.slice(place + drop);
      }, original);
      for (const { place, message } of check(text).diagnostics) {
        const line = place && text.split('\n')[place.line - 1];
        expect(line, message).toBeDefined();
        expect((place?.column ?? 0) - 1 + (place?.length ?? 0), message).toBeLessThanOrEqual(line?.length ?? 0);
      }
    }),
    { numRuns: 300 },
  );
});

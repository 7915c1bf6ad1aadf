import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runRecorded } from '../src/cli/run-recorded.ts';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));

interface Report {
  readonly diagnostics: readonly unknown[];
  readonly tests: { readonly passed: number; readonly failed: number };
  readonly coverage: readonly {
    readonly rules: readonly {
      readonly rule: string;
      readonly matched: number;
      readonly terms: readonly { readonly path: string; readonly held: number; readonly failed: number }[];
    }[];
  }[];
}

test('all rules pass their tests, every rule matches once, every term is seen to hold and to fail', async () => {
  const { code, out } = await runRecorded(['compile', '--test', folder, '--strict-talon', '--format', 'json']);
  const { diagnostics, tests, coverage }: Report = JSON.parse(out);
  expect(diagnostics).toEqual([]);
  expect(tests.failed).toBe(0);
  const rules = coverage.flatMap((each) => each.rules);
  expect(rules.length).toBeGreaterThanOrEqual(10);
  expect(rules.filter(({ matched }) => matched === 0)).toEqual([]);
  const oneSided = rules.flatMap(({ rule, terms }) =>
    terms.filter(({ held, failed }) => held === 0 || failed === 0).map(({ path: term }) => `${rule}: ${term}`),
  );
  expect(oneSided).toEqual([]);
  expect(code).toBe(0);
});

test('every file has a test file', () => {
  const tested = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'));
  expect(tested).toEqual(files.map((name) => name.replace('.yaml', '.test.yaml')));
});

test('Falco Talon would take all files, together too', async () => {
  const flags = files.flatMap((name) => ['-r', path.join(folder, name)]);
  const { code, out } = await runRecorded(['rules', 'check', '--strict-talon', '--format', 'json', ...flags]);
  expect({ code, findings: JSON.parse(out) }).toEqual({ code: 0, findings: [] });
});

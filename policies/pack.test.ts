import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runRecorded } from '../src/cli/run-recorded.ts';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));

interface Report {
  readonly diagnostics: readonly unknown[];
  readonly tests: { readonly passed: number; readonly failed: number };
  readonly guardCoverage: readonly {
    readonly policies: readonly {
      readonly policy: string;
      readonly passed: number;
      readonly denials: readonly { readonly expression: string; readonly stopped: number }[];
    }[];
  }[];
}

test('all policies pass their tests, which show that each lets something pass and each denial stops something', async () => {
  const { code, out } = await runRecorded(['compile', '--test', folder, '--format', 'json']);
  const { diagnostics, tests, guardCoverage }: Report = JSON.parse(out);
  expect(diagnostics).toEqual([]);
  expect(tests.failed).toBe(0);
  const policies = guardCoverage.flatMap((each) => each.policies);
  expect(policies.length).toBeGreaterThanOrEqual(6);
  expect(policies.filter(({ passed }) => passed === 0)).toEqual([]);
  const idle = policies.flatMap(({ denials }) => denials.filter(({ stopped }) => stopped === 0));
  expect(idle).toEqual([]);
  expect(code).toBe(0);
});

test('every file has a test file', () => {
  const tested = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'));
  expect(tested).toEqual(files.map((name) => name.replace('.yaml', '.test.yaml')));
});

test('all of them together go with the shipped rules', async () => {
  const rules = path.join(folder, '..', 'rules', 'compromise.yaml');
  const flags = files.flatMap((name) => ['-p', path.join(folder, name)]);
  const { code, out } = await runRecorded(['rules', 'check', '-r', rules, ...flags, '--format', 'json']);
  expect({ code, findings: JSON.parse(out) }).toEqual({ code: 0, findings: [] });
});

test.each(files)('%s asks nothing that whoever owns the pod can set', (name) => {
  const text = readFileSync(path.join(folder, name), 'utf8');
  expect(text).not.toMatch(/target\.labels|target\["labels"\]/);
});

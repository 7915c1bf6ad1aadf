import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { readTestFile } from '../src/cli/testing/read-test-file.ts';
import { askGuards, compareVerdict } from '../src/cli/testing/run-guard-case.ts';
import { checkPolicies } from '../src/compiler/check-policies.ts';
import { compile } from '../src/compiler/compile.ts';
import { renderDiagnostics } from '../src/compiler/render-diagnostics.ts';
import { GUARD_NAMES } from '../src/model/guard-variables.ts';

const root = path.resolve(import.meta.dirname, '..');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'],
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
].filter((page) => readdirSync(path.join(root, path.dirname(page))).includes(path.basename(page)));

/** The fenced YAML blocks of the written pages that are files of rules, of policies or of tests, by their first line. */
const blocks = pages.flatMap((page) => {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(({ index, 1: block = '' }) => {
    const line = text.slice(0, index).split('\n').length + 1;
    return { name: `${page}:${line}`, page, block };
  });
});
const rules = blocks.filter(({ block }) => /^(?:#.*\n)*- (?:rule|action): /.test(block));
const policies = blocks.filter(({ block }) => /^(?:#.*\n)*- policy: /.test(block));
const testFiles = blocks.filter(({ block }) => /^tests:$/m.test(block));

test('the pages have rules, policies and test files to check', () => {
  expect(rules.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/rules.md']));
  expect(policies.map(({ page }) => page)).toContain('docs/policies.md');
  expect(testFiles.map(({ page }) => page)).toEqual(expect.arrayContaining(['docs/testing.md', 'docs/policies.md']));
});

test.each(rules)('the rules at $name compile', ({ name, block }) => {
  const { diagnostics, sources } = compile([{ path: name, text: block }], { catalog });
  expect(
    renderDiagnostics(
      diagnostics.filter(({ code }) => code !== 'T1509'),
      sources,
      'text',
    ),
  ).toBe('');
});

test.each(policies)('the policies at $name compile', ({ name, block }) => {
  const { diagnostics, sources } = checkPolicies([{ path: name, text: block }], catalog);
  expect(renderDiagnostics(diagnostics, sources, 'text')).toBe('');
});

test('the page of policies names all that expressions can read', () => {
  const page = readFileSync(path.join(root, 'docs', 'policies.md'), 'utf8');
  expect(GUARD_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
});

test('the cases of the page of policies hold for the first policy of it', async () => {
  const [policy] = policies.filter(({ page }) => page === 'docs/policies.md');
  const [file] = testFiles.filter(({ page }) => page === 'docs/policies.md');
  const { guards = [] } = checkPolicies([{ path: 'policies.yaml', text: policy?.block ?? '' }], catalog);
  const { test: read } = readTestFile('policies.test.yaml', Buffer.from(file?.block ?? ''));
  for (const { name, event, guarded, expect: expected } of read?.cases ?? []) {
    if (!event || !guarded || !expected.verdict) throw new Error(name);
    const answer = await askGuards(guards, guarded, event);
    expect('problem' in answer ? answer : compareVerdict(expected.verdict, answer.verdict)).toEqual([]);
  }
});

test.each(testFiles)('the test file at $name is one', ({ name, block }) => {
  const { diagnostics, sources } = readTestFile(name, Buffer.from(block));
  expect(renderDiagnostics(diagnostics, sources, 'text')).toBe('');
});

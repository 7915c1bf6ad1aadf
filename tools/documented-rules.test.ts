import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../src/cli/catalog.ts';
import { readTestFile } from '../src/cli/testing/read-test-file.ts';
import { compile } from '../src/compiler/compile.ts';
import { renderDiagnostics } from '../src/compiler/render-diagnostics.ts';

const root = path.resolve(import.meta.dirname, '..');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md'],
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
].filter((page) => readdirSync(path.join(root, path.dirname(page))).includes(path.basename(page)));

/** The fenced YAML blocks of the written pages that are rules files, or test files, by their first line. */
const blocks = pages.flatMap((page) => {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(({ index, 1: block = '' }) => {
    const line = text.slice(0, index).split('\n').length + 1;
    return { name: `${page}:${line}`, page, block };
  });
});
const rules = blocks.filter(({ block }) => /^(?:#.*\n)*- (?:rule|action): /.test(block));
const testFiles = blocks.filter(({ block }) => /^tests:$/m.test(block));

test('the pages have rules and test files to check', () => {
  expect(rules.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/rules.md']));
  expect(testFiles.map(({ page }) => page)).toContain('docs/testing.md');
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

test.each(testFiles)('the test file at $name is one', ({ name, block }) => {
  const { diagnostics, sources } = readTestFile(name, Buffer.from(block));
  expect(renderDiagnostics(diagnostics, sources, 'text')).toBe('');
});

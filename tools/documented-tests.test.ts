import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const PAGE = 'docs/security.md';

/** The tests that the page names as proof: "- `file` › `title`, `title`". */
const named = [...readFileSync(path.join(root, PAGE), 'utf8').matchAll(/^- `([^`]+\.test\.ts)` › (.+)$/gm)].flatMap(
  ([, file = '', titles = '']) => [...titles.matchAll(/`([^`]+)`/g)].map(([, title = '']) => ({ file, title })),
);

test('the page on security names tests', () => {
  expect(named.length).toBeGreaterThan(40);
});

test.each(named)('$file has the test "$title"', ({ file, title }) => {
  expect(readFileSync(path.join(root, file), 'utf8')).toContain(`'${title}'`);
});

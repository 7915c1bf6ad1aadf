import { TEST_ERRORS } from '../../src/cli/testing/strict-map.ts';
import { ERRORS } from '../../src/compiler/errors.ts';
import { page, table } from './markdown.ts';

/** The page of the compiler's findings, by their codes. */
export function errorPage(): string {
  const rows = Object.entries(ERRORS).map(([id, { severity, title, advice }]) => [id, severity, title, advice]);
  const tests = Object.entries(TEST_ERRORS).map(([id, { title, advice }]) => [id, title, advice]);
  return page(
    '# Findings of the compiler',
    'Codes are stable: one that is given up is not used again. An error keeps the rules from being compiled, a warning does not.',
    table(['Code', 'Severity', 'What is wrong', 'What to do'], rows),
    '## In test files',
    table(['Code', 'What is wrong', 'What to do'], tests),
  );
}

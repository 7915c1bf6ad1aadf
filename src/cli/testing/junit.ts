import type { CaseResult, FileResult } from './run-tests.ts';

/**
 * Test results as JUnit XML, the form that CI systems read: a suite per test file, a case per test. A file that could not
 * be used is one case with an error.
 */
export function junitXml(files: readonly FileResult[]): string {
  const suites = files.map(suite);
  const sum = (count: (file: FileResult) => number): number => files.reduce((total, file) => total + count(file), 0);
  const attributes = `tests="${sum(tests)}" failures="${sum(failures)}" errors="${sum(errors)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="talon" ${attributes}>\n${suites.join('')}</testsuites>\n`;
}

function suite(file: FileResult): string {
  const time = file.cases.reduce((total, each) => total + each.milliseconds, 0) / 1000;
  const attributes = `tests="${tests(file)}" failures="${failures(file)}" errors="${errors(file)}" time="${time.toFixed(3)}"`;
  const broken = file.fault === undefined ? '' : brokenCase(file, file.fault);
  const cases = file.cases.map((each) => testCase(file, each)).join('');
  return `  <testsuite name="${escaped(file.path)}" ${attributes}>\n${broken}${cases}  </testsuite>\n`;
}

function brokenCase(file: FileResult, fault: string): string {
  const error = `<error message="the test file cannot be used">${escaped(fault)}</error>`;
  return `    <testcase classname="${escaped(file.path)}" name="(file)" time="0.000">${error}</testcase>\n`;
}

function testCase(file: FileResult, { test, problems, milliseconds }: CaseResult): string {
  const head = `    <testcase classname="${escaped(file.path)}" name="${escaped(test.name)}" file="${escaped(test.place.file)}" line="${test.place.line}" time="${(milliseconds / 1000).toFixed(3)}"`;
  if (problems.length === 0) return `${head}/>\n`;
  return `${head}>\n      <failure message="${escaped(problems[0] ?? '')}">${escaped(problems.join('\n'))}</failure>\n    </testcase>\n`;
}

function tests(file: FileResult): number {
  return file.cases.length + errors(file);
}

function failures(file: FileResult): number {
  return file.cases.filter(({ problems }) => problems.length > 0).length;
}

function errors(file: FileResult): number {
  return file.fault === undefined ? 0 : 1;
}

/** XML has no good spelling for control characters and lone surrogates: they become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"'\n\r\t]/g, (character) => ENTITIES[character] ?? `&#${character.charCodeAt(0)};`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

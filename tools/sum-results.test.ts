import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sumResults } from './sum-results.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sum-results-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Planted {
  readonly file?: string;
  readonly message?: string;
  readonly fails?: boolean;
  /** The failure of each test by its name; empty where it passed. */
  readonly tests: Readonly<Record<string, string>>;
}

function plant(step: string, files: readonly Planted[]): void {
  const messages = files.flatMap(({ tests }) => Object.values(tests));
  const report = {
    numPassedTests: messages.filter((message) => message === '').length,
    numFailedTests: messages.filter((message) => message !== '').length,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: files.map(({ file = 'src/a.test.ts', message = '', fails = message !== '', tests }) => ({
      name: `/checkout/${file}`,
      status: fails || Object.values(tests).some((each) => each !== '') ? 'failed' : 'passed',
      message,
      assertionResults: Object.entries(tests).map(([fullName, failure]) => ({
        fullName,
        status: failure === '' ? 'passed' : 'failed',
        duration: 59_999.6,
        failureMessages: failure === '' ? [] : [failure],
      })),
    })),
  };
  writeFileSync(path.join(folder, `${step}.json`), JSON.stringify(report));
}

const sum = (...failedSteps: string[]) => sumResults(folder, failedSteps, '/checkout');

test('a run without failures is its sums alone', () => {
  plant('unit', [{ tests: { one: '', two: '' } }]);
  plant('e2e', [{ tests: { three: '' } }]);
  const lines = ['e2e: 1 passed, 0 failed', 'unit: 2 passed, 0 failed', '3 passed, 0 failed'];
  expect(sum()).toEqual({ lines, failed: 0 });
});

test('a failed test is told with its step, file, full name and message, before the sums', () => {
  plant('unit', [{ tests: { one: '' } }]);
  plant('node26', [
    {
      file: 'src/b.test.ts',
      tests: {
        'the lock > holds':
          '\u001b[31mAssertionError\u001b[39m: 1 is not 2\n\n    at /checkout/node_modules/chai/index.js:1\n    at b.ts:3',
      },
    },
  ]);
  expect(sum('node26')).toEqual({
    lines: [
      'FAILED node26: src/b.test.ts: the lock > holds',
      '    AssertionError: 1 is not 2',
      '        at b.ts:3',
      '',
      'node26: 0 passed, 1 failed',
      'unit: 1 passed, 0 failed',
      '1 passed, 1 failed',
    ],
    failed: 1,
  });
});

test('a test that took too long is told so', () => {
  plant('unit', [{ tests: { one: 'Error: STACK_TRACE_ERROR\n    at a.test.ts:3' } }]);
  expect(sum('unit').lines.slice(1, 3)).toEqual(['    no end within 60000 ms', '        at a.test.ts:3']);
});

test.each([{}, { one: '' }])('a file that cannot be loaded or prepared is a failure: %j', (tests) => {
  plant('unit', [{ message: 'Cannot find module', tests }]);
  const { lines, failed } = sum('unit');
  expect(lines.slice(0, 2)).toEqual(['FAILED unit: src/a.test.ts', '    Cannot find module']);
  expect(failed).toBe(1);
});

test('a file of which a part cannot be prepared is told with the last lines of its step', () => {
  plant('unit', [{ fails: true, tests: { one: '' } }]);
  writeFileSync(path.join(folder, 'unit.log'), 'Error: no preparation\n');
  expect(sum('unit')).toEqual({
    lines: [
      'FAILED unit: src/a.test.ts',
      '    Error: no preparation',
      '',
      'unit: 1 passed, 1 failed',
      '1 passed, 1 failed',
    ],
    failed: 1,
  });
});

test('a step that failed without a failed test is told with the last lines it printed', () => {
  plant('unit', [{ tests: { one: '' } }]);
  writeFileSync(path.join(folder, 'unit.log'), `${'much\n'.repeat(100)}Unhandled rejection\n`);
  const { lines, failed } = sum('unit', 'lint');
  expect(lines.slice(0, 42)).toEqual([
    'FAILED unit: failed',
    ...Array.from({ length: 39 }, () => '    much'),
    '    Unhandled rejection',
    '',
  ]);
  expect(lines.slice(42)).toEqual([
    'FAILED lint: failed',
    '',
    'unit: 1 passed, 0 failed',
    'unit: failed',
    'lint: failed',
    '1 passed, 2 failed',
  ]);
  expect(failed).toBe(2);
});

test('what is told is bounded and printable', () => {
  const message = `${'x'.repeat(2_000)}\n\u0000\u202e\r\n${'line\n'.repeat(100)}`;
  plant('unit', [
    { tests: Object.fromEntries(Array.from({ length: 25 }, (_, number) => [`test ${number}`, message])) },
  ]);
  const { lines, failed } = sum('unit');
  expect(lines.slice(0, 17)).toEqual([
    'FAILED unit: src/a.test.ts: test 0',
    `    ${'x'.repeat(1_000)}...`,
    '    \\u{0}\\u{202e}\\u{d}',
    ...Array.from({ length: 13 }, () => '    line'),
    '',
  ]);
  expect(lines.slice(20 * 17)).toEqual(['and 5 failures more', '', 'unit: 0 passed, 25 failed', '0 passed, 25 failed']);
  expect(failed).toBe(25);
});

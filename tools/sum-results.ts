import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** What vitest's JSON reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  /** The absolute path of the file. */
  readonly name: string;
  readonly status: string;
  /** Why the file failed, apart from its tests. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    /** Milliseconds. */
    readonly duration?: number;
    readonly failureMessages: readonly string[];
  }[];
}

/** Something that failed, with where it was and what was said of it. */
interface Failure {
  readonly title: string;
  readonly lines: readonly string[];
}

const SHOWN_FAILURES = 20;
const SHOWN_LINES = 15;
const SHOWN_LOG_LINES = 40;
/** What vitest has in its report in place of the message of a test that took too long. */
const TIMED_OUT = 'Error: STACK_TRACE_ERROR';
const SHOWN_WIDTH = 1_000;

/**
 * Sums up a run of `.ci/run`: what failed, by name and with the beginning of its message, then a line per report of
 * vitest and `N passed, N failed` as the last one. The failures stand here again since a log of this length is often
 * kept without its middle.
 *
 * @param folder what the steps left: a vitest report `STEP.json` each, and what it printed as `STEP.log`
 * @param failedSteps names of the steps that failed; one whose report counts no failure is a failure more
 * @param root what the names of files are told from
 * @returns the lines to print and the number of failures
 */
export function sumResults(folder: string, failedSteps: readonly string[], root: string) {
  const sums: string[] = [];
  const failures: Failure[] = [];
  const withFailures = new Set<string>();
  let passed = 0;
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    const step = path.basename(file, '.json');
    const report: VitestReport = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    const found = report.testResults.flatMap((each) => failuresOf(each, step, { folder, root }));
    const skipped = report.numPendingTests + report.numTodoTests;
    failures.push(...found);
    passed += report.numPassedTests;
    if (found.length > 0) withFailures.add(step);
    const counts = `${report.numPassedTests} passed, ${found.length} failed`;
    sums.push(`${step}: ${counts}${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
  for (const step of failedSteps) {
    if (withFailures.has(step)) continue;
    failures.push({ title: `${step}: failed`, lines: lastLines(folder, step) });
    sums.push(`${step}: failed`);
  }
  const lines = [...describe(failures), ...sums, `${passed} passed, ${failures.length} failed`];
  return { lines, failed: failures.length };
}

function failuresOf(file: FileResult, step: string, { folder, root }: { folder: string; root: string }): Failure[] {
  const place = `${step}: ${path.relative(root, file.name)}`;
  const failed = file.assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages, duration = 0 }) => ({
      title: `${place}: ${fullName.trim()}`,
      lines: linesOf(failureMessages.join('\n').replace(TIMED_OUT, `no end within ${Math.round(duration)} ms`)).slice(
        0,
        SHOWN_LINES,
      ),
    }));
  if (failed.length > 0 || file.status !== 'failed') return failed;
  // A file that could not even be loaded, or prepared, has no failed test of its own.
  const lines = file.message === '' ? lastLines(folder, step) : linesOf(file.message).slice(0, SHOWN_LINES);
  return [{ title: place, lines }];
}

/** Without those that say nothing: empty ones, and places inside of packages. */
function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at .*\/node_modules\//.test(line));
}

function lastLines(folder: string, step: string): string[] {
  const log = path.join(folder, `${step}.log`);
  return existsSync(log) ? linesOf(readFileSync(log, 'utf8')).slice(-SHOWN_LOG_LINES) : [];
}

function describe(failures: readonly Failure[]): string[] {
  const shown = failures.slice(0, SHOWN_FAILURES).flatMap(({ title, lines }) => {
    return [`FAILED ${printable(title)}`, ...lines.map((line) => `    ${printable(line)}`), ''];
  });
  const more = failures.length - SHOWN_FAILURES;
  return more > 0 ? [...shown, `and ${more} failures more`, ''] : shown;
}

/** The text as one bounded line: tests are named after attacks, too. */
function printable(text: string): string {
  const plain = stripVTControlCharacters(text).replace(
    /[^\P{C}\t]/gu,
    (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`,
  );
  return plain.length > SHOWN_WIDTH ? `${plain.slice(0, SHOWN_WIDTH)}...` : plain;
}

if (process.argv[1] === import.meta.filename) {
  const [folder, ...failedSteps] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: sum-results FOLDER [FAILED STEP...]');
  const { lines, failed } = sumResults(folder, failedSteps, process.cwd());
  console.log(lines.join('\n'));
  process.exitCode = failed > 0 ? 1 : 0;
}

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** What vitest's JSON reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/**
 * Sums up a run of `.ci/run`: prints a line per report of vitest and `N passed, N failed` as the last one.
 *
 * @param folder where the reports are, one `STEP.json` each
 * @param failedSteps names of the steps that failed; one whose report counts no failure is a failure more
 * @returns the number of failures
 */
function sumResults(folder: string, failedSteps: readonly string[]): number {
  let passed = 0;
  let failed = 0;
  const failures = new Map<string, number>();
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const name = path.basename(file, '.json');
    const report: VitestReport = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
    // A file that could not even be loaded has no failed test of its own.
    const broken = report.testResults.filter((each) => each.status === 'failed' && each.assertionResults.length === 0);
    const skipped = report.numPendingTests + report.numTodoTests;
    failures.set(name, report.numFailedTests + broken.length);
    passed += report.numPassedTests;
    failed += report.numFailedTests + broken.length;
    const counts = `${report.numPassedTests} passed, ${failures.get(name)} failed`;
    console.log(`${name}: ${counts}${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
  for (const name of failedSteps) {
    if ((failures.get(name) ?? 0) > 0) continue;
    failed += 1;
    console.log(`${name}: failed`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}

const [folder, ...failedSteps] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: sum-results FOLDER [FAILED STEP...]');
process.exitCode = sumResults(folder, failedSteps) > 0 ? 1 : 0;

// Prints `N passed, N failed` over the JSON reports of vitest in a folder, and ends with 1 if anything failed.
//   node .ci/sum-results.mjs FOLDER [FAILED STEP...]
// A failed step that has a report with failures is counted by them; any other failed step counts as one failure.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [folder, ...failedSteps] = process.argv.slice(2);
const reports = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [path.basename(name, '.json'), JSON.parse(readFileSync(path.join(folder, name), 'utf8'))]),
);

let passed = 0;
let failed = 0;
console.log();
for (const [name, report] of reports) {
  // A suite that could not even be loaded has no failed test of its own.
  const broken = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
  const skipped = report.numPendingTests + report.numTodoTests;
  passed += report.numPassedTests;
  failed += report.numFailedTests + broken;
  console.log(`${name}: ${report.numPassedTests} passed, ${report.numFailedTests + broken} failed${skipped ? `, ${skipped} skipped` : ''}`);
  reports.set(name, report.numFailedTests + broken);
}
for (const name of failedSteps) {
  if (reports.get(name) > 0) continue;
  failed += 1;
  console.log(`${name}: failed`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

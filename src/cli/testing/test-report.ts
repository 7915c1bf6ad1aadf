import type { Coverage, RuleCoverage } from './coverage.ts';
import type { GuardCoverage, PolicyCoverage } from './guard-coverage.ts';
import type { CaseResult, FileResult, TestRun } from './run-tests.ts';

/** How many cases passed and failed; a file that could not be run counts as one that failed. */
export function countCases({ files }: TestRun): { passed: number; failed: number } {
  const cases = files.flatMap((file) => file.cases);
  const failed = cases.filter(({ problems }) => problems.length > 0).length;
  const broken = files.filter(({ fault }) => fault !== undefined).length;
  return { passed: cases.length - failed, failed: failed + broken };
}

/** The results for people: a line per file, more for what failed, the coverage, and the sum as the last line. */
export function testReport(run: TestRun): string {
  const { passed, failed } = countCases(run);
  const blocks = [
    run.files.map(fileReport).join(''),
    ...run.coverage.map(coverageReport),
    ...run.guardCoverage.map(guardCoverageReport),
    `${passed} passed, ${failed} failed\n`,
  ];
  return blocks.join('\n');
}

function fileReport({ path, fault, cases }: FileResult): string {
  if (fault !== undefined) return `FAIL  ${path}: ${fault}\n`;
  const failures = cases.filter(({ problems }) => problems.length > 0);
  const head = `${failures.length > 0 ? 'FAIL' : 'ok  '}  ${path}  ${cases.length} ${cases.length === 1 ? 'test' : 'tests'}\n`;
  return head + failures.map(failureReport).join('');
}

function failureReport({ test, problems }: CaseResult): string {
  const { file, line, column } = test.place;
  return `      ${test.name} (${file}:${line}:${column})\n${problems.map((problem) => `        ${problem}\n`).join('')}`;
}

/** Rules that no test alert matched, and terms whose effect no test alert shows. */
function coverageReport({ subject, rules }: Coverage): string {
  const matched = rules.filter((rule) => rule.matched > 0).length;
  const terms = rules.flatMap((rule) => rule.terms);
  const shown = terms.filter(({ held, failed }) => held > 0 && failed > 0).length;
  const head = `coverage of ${subject}: ${matched} of ${rules.length} rules matched, ${shown} of ${terms.length} terms both held and failed\n`;
  return head + rules.map(ruleReport).join('');
}

/** Denials that no test was stopped by, and policies that let nothing through. */
function guardCoverageReport({ subject, policies }: GuardCoverage): string {
  const denials = policies.flatMap((policy) => policy.denials);
  const stopping = denials.filter(({ stopped }) => stopped > 0).length;
  const passing = policies.filter(({ passed }) => passed > 0).length;
  const head = `coverage of ${subject}: ${passing} of ${policies.length} policies let an action pass, ${stopping} of ${denials.length} denials stopped one\n`;
  return head + policies.map(policyReport).join('');
}

function policyReport({ policy, passed, denials }: PolicyCoverage): string {
  const gaps = denials.flatMap(({ stopped, expression }) =>
    stopped > 0 ? [] : [`      never stopped: ${expression.replaceAll(/\s+/g, ' ').trim()}\n`],
  );
  if (passed > 0 && gaps.length === 0) return '';
  return `    ${policy}${passed > 0 ? '' : ': never let an action pass'}\n${gaps.join('')}`;
}

function ruleReport({ rule, matched, terms }: RuleCoverage): string {
  const gaps = terms.flatMap(({ text, held, failed }) => {
    if (held > 0 && failed > 0) return [];
    return [`      never ${held > 0 ? 'failed' : 'held'}: ${text}\n`];
  });
  if (matched > 0 && gaps.length === 0) return '';
  return `    ${rule}${matched > 0 ? '' : ': never matched'}\n${gaps.join('')}`;
}

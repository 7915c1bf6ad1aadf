import type { Compiled } from '../compiler/compile.ts';
import { renderDiagnostics } from '../compiler/render-diagnostics.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { drawsColor, type Terminal } from './terminal.ts';
import type { CaseResult } from './testing/run-tests.ts';
import type { TestOutcome } from './testing/test-command.ts';
import { countCases, testReport } from './testing/test-report.ts';

/** What `compile` made. */
export interface WrittenBundle {
  readonly rules: number;
  readonly guards: number;
  readonly revision: string;
  /** Size of the policy module. */
  readonly moduleBytes: number;
  /** Present if the bundle was written to a file, with its size. */
  readonly file?: string;
  readonly bytes?: number;
}

export interface CompileResults {
  /** What stopped the command, if anything did. */
  readonly fault?: Diagnostic;
  readonly own: Compiled | undefined;
  readonly tests: TestOutcome | undefined;
  readonly written: WrittenBundle | undefined;
}

/** Prints what `compile` found and made: findings on stderr and results on stdout, or all on stdout for programs. */
export function compileReport(terminal: Terminal, format: 'text' | 'json' | 'github', results: CompileResults): void {
  const { fault, own, tests, written } = results;
  const diagnostics = [...(fault ? [fault] : []), ...(own?.diagnostics ?? []), ...(tests?.diagnostics ?? [])];
  const sources = [...(own?.sources ?? []), ...(tests?.sources ?? [])];
  if (format === 'json') {
    const findings: unknown = JSON.parse(renderDiagnostics(diagnostics, sources, 'json'));
    terminal.out(
      `${JSON.stringify({ bundle: written ?? null, diagnostics: findings, ...testData(tests) }, null, 2)}\n`,
    );
  } else if (format === 'github') {
    const failures = tests?.files.flatMap(({ cases }) => cases.flatMap(failedCase)) ?? [];
    terminal.out(renderDiagnostics([...diagnostics, ...failures], sources, 'github'));
  } else {
    terminal.err(renderDiagnostics(diagnostics, sources, 'text', { color: drawsColor(terminal, 'err') }));
    if (tests) terminal.out(testReport(tests));
    if (written) terminal.out(writtenLine(written));
  }
}

function writtenLine({ rules, guards, revision, moduleBytes, file, bytes }: WrittenBundle): string {
  const policies = guards === 0 ? '' : ` and ${guards} ${guards === 1 ? 'policy' : 'policies'}`;
  const what = `${rules} ${rules === 1 ? 'rule' : 'rules'}${policies}`;
  if (file === undefined) {
    return `compiled ${what}: module of ${moduleBytes} bytes, revision ${revision} (write the bundle with -o FILE)\n`;
  }
  return `wrote ${file}: ${what}, ${bytes} bytes, revision ${revision}\n`;
}

function testData(tests: TestOutcome | undefined): object {
  if (!tests) return {};
  const files = tests.files.map(({ path, fault, cases }) => ({
    path,
    fault,
    cases: cases.map(({ test, problems, milliseconds }) => ({
      name: test.name,
      line: test.place.line,
      passed: problems.length === 0,
      problems,
      milliseconds,
    })),
  }));
  const { coverage, guardCoverage } = tests;
  return { tests: { ...countCases(tests), files }, coverage, ...(guardCoverage.length > 0 && { guardCoverage }) };
}

function failedCase({ test, problems }: CaseResult): Diagnostic[] {
  if (problems.length === 0) return [];
  const message = `${test.name}: ${problems.join('; ')}`;
  return [{ code: 'T1807', severity: 'error', message, place: test.place }];
}

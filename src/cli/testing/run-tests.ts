import { decodeEvent } from '../../model/decode-event.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { EVENT_ERRORS } from '../../model/falco-event.ts';
import type { Engine } from '../../runtime/open-bundle.ts';
import { compareDiagnostics, comparePlan, compareRules } from './compare.ts';
import { type Coverage, CoverageCounter } from './coverage.ts';
import type { TestCase, TestFile } from './test-file.ts';

/** Rules that tests run against: what the compiler said, and the engine unless it refused them. */
export interface Subject {
  /** What the rules are called in reports: their files. */
  readonly name: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly engine?: Engine;
}

/** Gets rules compiled. Called once per case with a text of its own; the caller caches by files. */
export interface SubjectSource {
  /** @param files paths; undefined for those of the command line */
  readonly ofFiles: (files: readonly string[] | undefined) => Promise<Subject | undefined>;
  readonly ofText: (text: string, name: string) => Promise<Subject>;
}

export interface CaseResult {
  readonly test: TestCase;
  /** Why it failed, as sentences. Empty: it passed. */
  readonly problems: readonly string[];
  readonly milliseconds: number;
}

export interface FileResult {
  readonly path: string;
  /** Why the file could not be run at all. */
  readonly fault?: string;
  readonly cases: readonly CaseResult[];
}

export interface TestRun {
  readonly files: readonly FileResult[];
  readonly coverage: readonly Coverage[];
}

/** Runs the cases of test files through the policy engine, one after the other. */
export async function runTests(
  files: readonly TestFile[],
  subjects: SubjectSource,
  onFile: (path: string) => void = () => {},
): Promise<TestRun> {
  const counters = new Map<Subject, CoverageCounter>();
  const results: FileResult[] = [];
  for (const file of files) {
    onFile(file.path);
    const subject = await subjects.ofFiles(file.rules);
    if (subject?.engine && !counters.has(subject)) {
      counters.set(subject, new CoverageCounter(subject.name, subject.engine.rules));
    }
    const counter = subject && counters.get(subject);
    results.push(await runFile(file, subject, subjects, counter));
  }
  return { files: results, coverage: [...counters.values()].map((counter) => counter.result()) };
}

async function runFile(
  file: TestFile,
  subject: Subject | undefined,
  subjects: SubjectSource,
  counter: CoverageCounter | undefined,
): Promise<FileResult> {
  const needsRules = file.cases.some(({ rulesText }) => rulesText === undefined);
  if (needsRules && !subject) {
    return {
      path: file.path,
      cases: [],
      fault: 'it names no `rules`, and the command line names no rules files either',
    };
  }
  const cases: CaseResult[] = [];
  for (const test of file.cases) {
    const start = performance.now();
    const own =
      test.rulesText === undefined ? undefined : await subjects.ofText(test.rulesText, `${file.path} (rules_text)`);
    const tested = own ?? subject;
    const problems = tested ? runCase(test, tested, own ? undefined : counter) : [];
    cases.push({ test, problems, milliseconds: performance.now() - start });
  }
  return { path: file.path, cases };
}

function runCase(test: TestCase, subject: Subject, counter: CoverageCounter | undefined): string[] {
  const { expect, event } = test;
  const problems = expect.diagnostics ? compareDiagnostics(expect.diagnostics, subject.diagnostics) : [];
  if (!event || !(expect.rules || expect.plan)) return problems;
  if (!subject.engine) return [...problems, `the rules do not compile: ${firstError(subject)}`];
  const answer = subject.engine.evaluate(event);
  if (!answer.ok) return [...problems, `the alert is refused: ${EVENT_ERRORS[answer.code]}, at byte ${answer.offset}`];
  const decoded = decodeEvent(event);
  if (decoded.ok) counter?.count(decoded.event, answer.rules);
  if (expect.rules) problems.push(...compareRules(expect.rules, answer.rules));
  if (expect.plan) problems.push(...comparePlan(expect.plan, answer.plan));
  return problems;
}

function firstError({ diagnostics }: Subject): string {
  const error = diagnostics.find(({ severity }) => severity === 'error');
  const place = error?.place ? `${error.place.file}:${error.place.line}:${error.place.column}: ` : '';
  return `${place}${error?.message ?? 'for a reason that is not known'}`;
}

import { decodeEvent } from '../../model/decode-event.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { EVENT_ERRORS } from '../../model/falco-event.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import { compareDiagnostics, comparePlan, compareRules } from './compare.ts';
import { type Coverage, CoverageCounter } from './coverage.ts';
import { type GuardCoverage, GuardCoverageCounter } from './guard-coverage.ts';
import type { PolicySubject, PolicySubjects } from './policy-subjects.ts';
import { appliesTo, askGuards, compareVerdict } from './run-guard-case.ts';
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
  readonly guardCoverage: readonly GuardCoverage[];
}

/** Runs the cases of test files through the policy engine and the guards, one after the other. */
export async function runTests(
  files: readonly TestFile[],
  subjects: SubjectSource,
  policies: PolicySubjects,
  onFile: (path: string) => void = () => {},
): Promise<TestRun> {
  const counters = new Map<Subject, CoverageCounter>();
  const guardCounters = new Map<PolicySubject, GuardCoverageCounter>();
  const results: FileResult[] = [];
  for (const file of files) {
    onFile(file.path);
    const rules = needsRules(file) ? await subjects.ofFiles(file.rules) : undefined;
    const guards = needsPolicies(file) ? policies.ofFiles(file.policies) : undefined;
    if (rules?.engine && !counters.has(rules)) {
      counters.set(rules, new CoverageCounter(rules.name, rules.engine.rules));
    }
    if (guards?.guards && !guardCounters.has(guards)) {
      guardCounters.set(guards, new GuardCoverageCounter(guards.name, guards.guards));
    }
    const tested = {
      rules: rules && { subject: rules, counter: counters.get(rules) },
      guards: guards && { subject: guards, counter: guardCounters.get(guards) },
    };
    results.push(await runFile(file, tested, subjects, policies));
  }
  return {
    files: results,
    coverage: [...counters.values()].map((counter) => counter.result()),
    guardCoverage: [...guardCounters.values()].map((counter) => counter.result()),
  };
}

/** What the cases of a file are about, where they bring no text of their own. */
interface Tested {
  readonly rules: { readonly subject: Subject; readonly counter: CoverageCounter | undefined } | undefined;
  readonly guards: { readonly subject: PolicySubject; readonly counter: GuardCoverageCounter | undefined } | undefined;
}

function needsRules({ cases }: TestFile): boolean {
  return cases.some(
    ({ expect, rulesText, policiesText }) =>
      rulesText === undefined &&
      (expect.rules ?? expect.plan ?? (policiesText === undefined ? expect.diagnostics : undefined)) !== undefined,
  );
}

function needsPolicies({ cases }: TestFile): boolean {
  return cases.some(({ expect, policiesText }) => policiesText === undefined && expect.verdict !== undefined);
}

async function runFile(
  file: TestFile,
  tested: Tested,
  subjects: SubjectSource,
  policies: PolicySubjects,
): Promise<FileResult> {
  const missing = [
    ...(needsRules(file) && !tested.rules ? ['rules'] : []),
    ...(needsPolicies(file) && !tested.guards ? ['policies'] : []),
  ];
  if (missing.length > 0) {
    const [what] = missing;
    const fault = `it names no \`${what}\`, and the command line names no ${what} files either`;
    return { path: file.path, cases: [], fault };
  }
  const cases: CaseResult[] = [];
  for (const test of file.cases) {
    const start = performance.now();
    const { rulesText, policiesText } = test;
    const rules =
      rulesText === undefined
        ? tested.rules
        : { subject: await subjects.ofText(rulesText, `${file.path} (rules_text)`), counter: undefined };
    const guards =
      policiesText === undefined
        ? tested.guards
        : { subject: policies.ofText(policiesText, `${file.path} (policies_text)`), counter: undefined };
    const problems = [
      ...compareFindings(test, rules?.subject, guards?.subject),
      ...(rules ? runCase(test, rules.subject, rules.counter) : []),
      ...(guards ? await runGuardCase(test, guards.subject, guards.counter) : []),
    ];
    cases.push({ test, problems, milliseconds: performance.now() - start });
  }
  return { path: file.path, cases };
}

/** Findings are those about the policies where the case has policies of its own, else about the rules. */
function compareFindings(
  { expect, policiesText }: TestCase,
  rules: Subject | undefined,
  guards: PolicySubject | undefined,
): string[] {
  const found = policiesText === undefined ? rules : guards;
  return expect.diagnostics ? compareDiagnostics(expect.diagnostics, found?.diagnostics ?? []) : [];
}

async function runGuardCase(
  { expect, event, guarded }: TestCase,
  { guards, diagnostics }: PolicySubject,
  counter: GuardCoverageCounter | undefined,
): Promise<string[]> {
  if (!expect.verdict || !event || !guarded) return [];
  if (!guards) return [`the policies do not compile: ${firstError({ diagnostics })}`];
  const answer = await askGuards(guards, guarded, event);
  if ('problem' in answer) return [`the guards cannot be asked: ${answer.problem}`];
  counter?.count(answer.verdict, appliesTo(guards, guarded));
  return compareVerdict(expect.verdict, answer.verdict);
}

function runCase(test: TestCase, subject: Subject, counter: CoverageCounter | undefined): string[] {
  const { expect, event } = test;
  if (!event || !(expect.rules || expect.plan)) return [];
  if (!subject.engine) return [`the rules do not compile: ${firstError(subject)}`];
  const answer = subject.engine.evaluate(event);
  if (!answer.ok) return [`the alert is refused: ${EVENT_ERRORS[answer.code]}, at byte ${answer.offset}`];
  const problems: string[] = [];
  const decoded = decodeEvent(event);
  if (decoded.ok) counter?.count(decoded.event, answer.rules);
  if (expect.rules) problems.push(...compareRules(expect.rules, answer.rules));
  if (expect.plan) problems.push(...comparePlan(expect.plan, answer.plan));
  return problems;
}

function firstError({ diagnostics }: Pick<Subject, 'diagnostics'>): string {
  const error = diagnostics.find(({ severity }) => severity === 'error');
  const place = error?.place ? `${error.place.file}:${error.place.line}:${error.place.column}: ` : '';
  return `${place}${error?.message ?? 'for a reason that is not known'}`;
}

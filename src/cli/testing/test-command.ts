import type { Compiled } from '../../compiler/compile.ts';
import { MAX_FILE_BYTES } from '../../compiler/read.ts';
import type { Source } from '../../compiler/source.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { Progress } from '../progress.ts';
import { fileProblem, readUpTo } from '../read-file.ts';
import { findTestFiles, testFilesBeside } from './find-test-files.ts';
import { type CheckPolicyFiles, type CheckPolicyText, PolicySubjects } from './policy-subjects.ts';
import { readTestFile } from './read-test-file.ts';
import { type FileResult, runTests, type TestRun } from './run-tests.ts';
import type { TestFile } from './test-file.ts';
import { type CompileFiles, type CompileText, TestSubjects } from './test-subjects.ts';

/** What `compile --test` is asked to do. */
export interface TestOrder {
  /** Folder or file to search; true for the folders of the files of the command line. */
  readonly place: string | true;
  /** The rules files of the command line, and what came of them. */
  readonly own?: { readonly files: readonly string[]; readonly result: Compiled };
  readonly compileFiles: CompileFiles;
  readonly compileText: CompileText;
  /** The files of guard policies of the command line; their findings are among those of the rules, if there are rules. */
  readonly policies: readonly string[];
  readonly checkPolicyFiles: CheckPolicyFiles;
  readonly checkPolicyText: CheckPolicyText;
  readonly progress: Progress;
}

export interface TestOutcome extends TestRun {
  /** Mistakes in the test files, and findings in the rules files that only they name. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
}

/** Finds and runs test files. Throws a TalonError where there are none: a run that tests nothing must not look good. */
export async function testRules(order: TestOrder): Promise<TestOutcome> {
  const paths = testPaths(order);
  if (paths.length === 0) throw new TalonError('usage', `--test: no *.test.yaml files ${whereOf(order)}`);
  const broken: FileResult[] = [];
  const findings: { readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly Source[] }[] = [];
  const files: TestFile[] = [];
  for (const path of paths) {
    order.progress.step(`reading ${path}`);
    const read = readTestFile(path, readSmall(path));
    findings.push(read);
    if (read.test) files.push(read.test);
    else broken.push({ path, cases: [], fault: read.diagnostics.map(({ message }) => message).join('; ') });
  }
  const subjects = new TestSubjects(order.compileFiles, order.compileText, order.own);
  const policies = new PolicySubjects(order.checkPolicyFiles, order.checkPolicyText, order.policies);
  const run = await runTests(files, subjects, policies, (path) => order.progress.step(`testing ${path}`));
  const judged = new Set(files.filter(expectsDiagnostics).map(({ rules }) => JSON.stringify(rules)));
  for (const { files: names, result } of subjects.compiled) {
    if (!judged.has(JSON.stringify(names))) findings.push(result);
  }
  for (const { files: names, result } of policies.compiled) {
    if (!order.own || names !== order.policies) findings.push(result);
  }
  return {
    ...run,
    files: [...broken, ...run.files],
    diagnostics: findings.flatMap(({ diagnostics }) => diagnostics),
    sources: findings.flatMap(({ sources }) => sources),
  };
}

function readSmall(file: string): Buffer {
  try {
    return readUpTo(file, MAX_FILE_BYTES);
  } catch (error) {
    throw new TalonError('usage', `--test: cannot read ${file}: ${fileProblem(error)}`, { cause: error });
  }
}

function testPaths(order: TestOrder): readonly string[] {
  if (order.place !== true) return findTestFiles(order.place);
  const files = ownFiles(order);
  return files.length > 0 ? testFilesBeside(files) : findTestFiles('.');
}

function whereOf(order: TestOrder): string {
  if (order.place !== true) return `below ${order.place}`;
  return ownFiles(order).length > 0 ? 'beside the rules files' : 'below the current folder';
}

function ownFiles({ own, policies }: TestOrder): readonly string[] {
  return [...(own?.files ?? []), ...policies];
}

function expectsDiagnostics({ cases }: TestFile): boolean {
  return cases.some(({ expect, rulesText }) => expect.diagnostics !== undefined && rulesText === undefined);
}

import type { Compiled } from '../../compiler/compile.ts';
import { MAX_FILE_BYTES } from '../../compiler/read.ts';
import type { Source } from '../../compiler/source.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { Progress } from '../progress.ts';
import { fileProblem, readUpTo } from '../read-file.ts';
import { findTestFiles, testFilesBeside } from './find-test-files.ts';
import { readTestFile } from './read-test-file.ts';
import { type FileResult, runTests, type TestRun } from './run-tests.ts';
import type { TestFile } from './test-file.ts';
import { type CompileFiles, type CompileText, TestSubjects } from './test-subjects.ts';

/** What `compile --test` is asked to do. */
export interface TestOrder {
  /** Folder or file to search; true for the folders of the rules files. */
  readonly place: string | true;
  /** The rules files of the command line, and what came of them. */
  readonly own?: { readonly files: readonly string[]; readonly result: Compiled };
  readonly compileFiles: CompileFiles;
  readonly compileText: CompileText;
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
  const run = await runTests(files, subjects, (path) => order.progress.step(`testing ${path}`));
  const judged = new Set(files.filter(expectsDiagnostics).map(({ rules }) => JSON.stringify(rules)));
  for (const { files: names, result } of subjects.compiled) {
    if (!judged.has(JSON.stringify(names))) findings.push(result);
  }
  return {
    files: [...broken, ...run.files],
    coverage: run.coverage,
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

function testPaths({ place, own }: TestOrder): readonly string[] {
  if (place !== true) return findTestFiles(place);
  return own ? testFilesBeside(own.files) : findTestFiles('.');
}

function whereOf({ place, own }: TestOrder): string {
  if (place !== true) return `below ${place}`;
  return own ? 'beside the rules files' : 'below the current folder';
}

function expectsDiagnostics({ cases }: TestFile): boolean {
  return cases.some(({ expect, rulesText }) => expect.diagnostics !== undefined && rulesText === undefined);
}

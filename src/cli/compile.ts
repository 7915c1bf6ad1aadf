import { writeFileSync } from 'node:fs';
import { checkPolicies } from '../compiler/check-policies.ts';
import { type Compiled, compile } from '../compiler/compile.ts';
import type { SourceFile } from '../compiler/read.ts';
import { TalonError } from '../model/talon-error.ts';
import { compileReport, type WrittenBundle } from './compile-report.ts';
import { faultDiagnostic } from './fault-diagnostic.ts';
import { catalog } from './plugins/catalog.ts';
import { policiesFilesOf, rulesFilesOf } from './policy-source.ts';
import { Progress } from './progress.ts';
import { fileProblem } from './read-file.ts';
import { areLarge, readEmbeddedFile, readRulesFiles } from './read-rules-files.ts';
import type { CommandContext } from './talon-command.ts';
import { isTestFile } from './testing/find-test-files.ts';
import { junitXml } from './testing/junit.ts';
import { testRules } from './testing/test-command.ts';
import { countCases } from './testing/test-report.ts';

export interface CompileFlags {
  readonly output?: string;
  /** A folder or file; true for `--test` alone. */
  readonly test?: string | true;
  readonly junit?: string;
  readonly strictTalon?: boolean;
  readonly format: 'text' | 'json' | 'github';
}

/**
 * `compile`: compiles rules files, runs their tests if asked, and writes the bundle if all of that went well. Ends with 1
 * otherwise. For flags that make no sense and files that cannot be written it throws a TalonError in the format text; for
 * programs that is a finding.
 */
export async function compileCommand(
  context: CommandContext,
  operands: readonly string[],
  flags: CompileFlags,
): Promise<number> {
  try {
    return await compileAndTest(context, rulesAmong(operands, context), flags);
  } catch (error) {
    if (flags.format === 'text') throw error;
    const fault = faultDiagnostic(error);
    compileReport(context.terminal, flags.format, { fault, own: undefined, tests: undefined, written: undefined });
    return 1;
  }
}

/** The operands without files of tests, which come in by `rules/*.yaml`; unless there is nothing else. */
function rulesAmong(operands: readonly string[], { terminal }: CommandContext): readonly string[] {
  const rules = operands.filter((file) => !isTestFile(file));
  const tests = operands.length - rules.length;
  if (rules.length === 0 || tests === 0) return operands;
  terminal.err(`leaving out ${tests} *.test.yaml ${tests === 1 ? 'file' : 'files'}: --test runs them\n`);
  return rules;
}

async function compileAndTest(
  context: CommandContext,
  operands: readonly string[],
  flags: CompileFlags,
): Promise<number> {
  if (flags.junit !== undefined && flags.test === undefined) throw new TalonError('usage', '--junit needs --test');
  const progress = new Progress(context.terminal);
  const policies = policiesFilesOf(context);
  const compileSources = (files: readonly SourceFile[], guards: readonly SourceFile[] = []): Compiled =>
    compile(files, { catalog, readFile: readEmbeddedFile, strictTalon: flags.strictTalon ?? false, policies: guards });
  const compileFiles = (files: readonly string[], guards: readonly string[] = []): Compiled => {
    const sources = readRulesFiles(files);
    progress.step(`compiling ${files.join(', ')}`, areLarge(sources));
    return compileSources(sources, readRulesFiles(guards));
  };
  const own = ownRules(context, operands, flags, (files) => compileFiles(files, policies));
  const tests =
    flags.test === undefined
      ? undefined
      : await testRules({
          place: flags.test,
          ...(own && { own }),
          compileFiles: (files) => compileFiles(files),
          compileText: (file) => compileSources([file]),
          policies,
          checkPolicyFiles: (files) => checkPolicies(readRulesFiles(files), catalog),
          checkPolicyText: (file) => checkPolicies([file], catalog),
          progress,
        });
  if (tests && flags.junit !== undefined) write(flags.junit, junitXml(tests.files));
  const compiled = own === undefined || own.result.bundle !== undefined;
  const good = compiled && (tests === undefined || countCases(tests).failed === 0);
  const written = good && own?.result.bundle ? writeBundle(own.result.bundle, flags.output, progress) : undefined;
  progress.done();
  compileReport(context.terminal, flags.format, { own: own?.result, tests, written });
  return good ? 0 : 1;
}

/** The rules of the command line. None if only tests were asked for, which name their rules themselves. */
function ownRules(
  context: CommandContext,
  operands: readonly string[],
  { test, output }: CompileFlags,
  compileFiles: (files: readonly string[]) => Compiled,
): { files: readonly string[]; result: Compiled } | undefined {
  const { globals, terminal } = context;
  const named = operands.length + globals.rules.length > 0 || globals.config !== undefined || terminal.env.RULES_FILES;
  if (!named && test !== undefined && output === undefined) return undefined;
  const files = rulesFilesOf(context, operands);
  return { files, result: compileFiles(files) };
}

function writeBundle(
  bundle: NonNullable<Compiled['bundle']>,
  file: string | undefined,
  progress: Progress,
): WrittenBundle {
  const facts = {
    rules: bundle.rules.length,
    guards: bundle.guards.length,
    revision: bundle.revision,
    moduleBytes: bundle.module.length,
  };
  if (file === undefined) return facts;
  progress.step(`packing ${file}`);
  const bytes = bundle.pack();
  write(file, bytes);
  return { ...facts, file, bytes: bytes.length };
}

function write(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new TalonError('usage', `cannot write ${file}: ${fileProblem(error)}`, { cause: error });
  }
}

import { compile } from '../compiler/compile.ts';
import { renderDiagnostics } from '../compiler/render-diagnostics.ts';
import { TalonError } from '../model/talon-error.ts';
import { type Engine, MAX_BUNDLE_BYTES, openBundle, openRules } from '../runtime/engine/open-bundle.ts';
import { catalog } from './plugins/catalog.ts';
import { Progress } from './progress.ts';
import { fileProblem, readUpTo } from './read-file.ts';
import { areLarge, readEmbeddedFile, readRulesFiles } from './read-rules-files.ts';
import { loadSettings } from './settings/settings.ts';
import type { CommandContext } from './talon-command.ts';
import { drawsColor } from './terminal.ts';

/**
 * The rules files of a command line: operands and `-r` in order, else what the configuration says. Throws a TalonError for
 * a configuration that cannot be read.
 */
export function rulesFilesOf(
  { terminal, globals }: CommandContext,
  operands: readonly string[] = [],
): readonly string[] {
  const given = [...globals.rules, ...operands];
  if (given.length > 0) return given;
  return loadSettings({ configFile: globals.config, rulesFlags: [], env: terminal.env }).rulesFiles;
}

/**
 * The files of guard policies of a command line: `-p`, else what the configuration says where one is named. Throws a TalonError
 * for a configuration that cannot be read.
 */
export function policiesFilesOf({ terminal, globals }: CommandContext): readonly string[] {
  const { policies, config: configFile } = globals;
  if (policies.length > 0 || (configFile === undefined && !terminal.env.POLICIES_FILES)) return policies;
  return loadSettings({ configFile, rulesFlags: [], env: terminal.env }).policiesFiles;
}

/**
 * The engine that `eval` and `explain` ask: from a bundle, or compiled from the rules files. Undefined if the rules are
 * refused; the reasons are then on stderr. Throws a TalonError for a bundle that cannot be used.
 */
export async function openPolicy(context: CommandContext, bundle: string | undefined): Promise<Engine | undefined> {
  if (bundle !== undefined) {
    if (context.globals.policies.length === 0) return openBundle(readBundle(bundle));
    throw new TalonError('usage', 'a bundle brings its own policies: compile them into it with -p');
  }
  const files = readRulesFiles(rulesFilesOf(context));
  const progress = new Progress(context.terminal);
  progress.step('compiling the rules', areLarge(files));
  const policies = readRulesFiles(policiesFilesOf(context));
  const compiled = compile(files, { catalog, readFile: readEmbeddedFile, policies });
  progress.done();
  const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error');
  if (compiled.bundle) return openRules(compiled.bundle);
  context.terminal.err(
    renderDiagnostics(errors, compiled.sources, 'text', { color: drawsColor(context.terminal, 'err') }),
  );
  return undefined;
}

function readBundle(file: string): Uint8Array {
  try {
    return readUpTo(file, MAX_BUNDLE_BYTES);
  } catch (error) {
    throw new TalonError('bundle', `cannot read ${file}: ${fileProblem(error)}`, { cause: error });
  }
}

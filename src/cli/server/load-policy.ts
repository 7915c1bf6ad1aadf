import { statSync } from 'node:fs';
import { type Compiled, compile } from '../../compiler/compile.ts';
import type { FileProblem } from '../../compiler/embed-files.ts';
import type { SourceFile } from '../../compiler/read.ts';
import { renderDiagnostics } from '../../compiler/render-diagnostics.ts';
import type { Catalog } from '../../model/definition.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { InputFiles } from '../../platform/files/input-files.ts';
import { type Engine, MAX_BUNDLE_BYTES, openBundle, openRules } from '../../runtime/engine/open-bundle.ts';
import { fileProblem, readUpTo } from '../read-file.ts';
import { readEmbeddedFileIn, readSource, sourceFile } from '../read-rules-files.ts';
import { Refused } from '../refused.ts';
import type { Log } from './server-log.ts';

/** Where the rules and policies of a server come from. */
export interface PolicySources {
  readonly rulesFiles: readonly string[];
  readonly policiesFiles: readonly string[];
  /** In place of both. */
  readonly bundleFile: string | undefined;
  readonly catalog: Catalog;
  /** In which files of scripts must be; empty: anywhere. */
  readonly scriptsFolder?: string;
  readonly log: Log;
  /** Takes the drawn findings. */
  readonly err: (text: string) => void;
  readonly color: boolean;
}

/**
 * Reads, checks and opens the rules and policies, at start and with each reload.
 *
 * @param inputs remembers every file that was read and what it held, also when the rules are refused
 * @throws Refused, after a log line for each fault
 */
export async function loadPolicy(sources: PolicySources, inputs: InputFiles): Promise<Engine> {
  const { bundleFile, policiesFiles } = sources;
  if (bundleFile === undefined) return compileFiles(sources, inputs);
  // Left out silently, they would be missed when it is too late.
  if (policiesFiles.length > 0)
    throw new Refused('policies', 'a bundle brings its own policies: compile them into it with -p');
  return loadBundle(bundleFile, inputs);
}

async function compileFiles(sources: PolicySources, inputs: InputFiles): Promise<Engine> {
  const { catalog, log, err, color, scriptsFolder = '' } = sources;
  const files = readSources(sources.rulesFiles, inputs);
  const policies = readSources(sources.policiesFiles, inputs);
  const readFile = (file: string) =>
    inputs.read<string | FileProblem>(file, () => readEmbeddedFileIn(scriptsFolder, file));
  const compiled = compile(files, { catalog, readFile, policies });
  err(renderDiagnostics(compiled.diagnostics, compiled.sources, 'text', { color }));
  for (const fields of compiled.records) log({ level: 'error', message: 'rules', fields: { ...fields } });
  if (compiled.bundle) return openRules(compiled.bundle);
  for (const error of policyErrors(compiled, sources.policiesFiles)) {
    log({ level: 'error', message: 'policies', fields: { error } });
  }
  throw compiled.rules ? new Refused('policies', 'invalid policies') : new Refused('rules', 'invalid rules');
}

/** What is wrong with policies, a sentence each: Falco Talon has no lines for that. */
function policyErrors({ diagnostics }: Compiled, policiesFiles: readonly string[]): string[] {
  return diagnostics.flatMap(({ severity, place, message }) => {
    if (severity !== 'error' || !place || !policiesFiles.includes(place.file)) return [];
    return [`${place.file}:${place.line}:${place.column}: ${message}`];
  });
}

function readSources(paths: readonly string[], inputs: InputFiles): SourceFile[] {
  return paths.map((path) =>
    sourceFile(
      path,
      inputs.read<Uint8Array | FileProblem>(path, () => (isPipe(path) ? PIPE : readSource(path))),
    ),
  );
}

/** To wait for somebody who writes into it would hold the whole server, and what was read is gone. */
const PIPE: FileProblem = { problem: 'is a pipe, which a server cannot read again' };

function isPipe(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

async function loadBundle(file: string, inputs: InputFiles): Promise<Engine> {
  const content = inputs.read<Uint8Array | FileProblem>(file, () => {
    try {
      return isPipe(file) ? PIPE : readUpTo(file, MAX_BUNDLE_BYTES);
    } catch (error) {
      return { problem: fileProblem(error) };
    }
  });
  if (!(content instanceof Uint8Array)) throw new Refused('rules', `open ${file}: ${content.problem}`);
  return openBundle(content).catch((error: unknown) => {
    if (!(error instanceof TalonError)) throw error;
    throw new Refused('rules', error.message, { cause: error });
  });
}

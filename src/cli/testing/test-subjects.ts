import path from 'node:path';
import type { Compiled } from '../../compiler/compile.ts';
import type { SourceFile } from '../../compiler/read.ts';
import { openRules } from '../../runtime/engine/open-bundle.ts';
import type { Subject, SubjectSource } from './run-tests.ts';

/** Compiles files, from disk or with a text given. */
export type CompileFiles = (files: readonly string[]) => Compiled;
export type CompileText = (file: SourceFile) => Compiled;

/** The rules that tests run against. Rules files are compiled once, however many test files name them. */
export class TestSubjects implements SubjectSource {
  /** What was compiled from files that test files name, in the order of first use. */
  readonly compiled: { readonly files: readonly string[]; readonly result: Compiled }[] = [];
  readonly #compileFiles: CompileFiles;
  readonly #compileText: CompileText;
  readonly #byFiles = new Map<string, Promise<Subject>>();
  readonly #own: string | undefined;

  /** @param own the rules files of the command line and what came of them */
  constructor(
    compileFiles: CompileFiles,
    compileText: CompileText,
    own?: { readonly files: readonly string[]; readonly result: Compiled },
  ) {
    this.#compileFiles = compileFiles;
    this.#compileText = compileText;
    this.#own = own && keyOf(own.files);
    if (own) this.#byFiles.set(keyOf(own.files), subjectOf(own.files.join(', '), own.result));
  }

  async ofFiles(files: readonly string[] | undefined): Promise<Subject | undefined> {
    const key = files ? keyOf(files) : this.#own;
    const known = key === undefined ? undefined : this.#byFiles.get(key);
    if (known || !files || key === undefined) return known;
    const result = this.#compileFiles(files);
    this.compiled.push({ files, result });
    const subject = subjectOf(files.join(', '), result);
    this.#byFiles.set(key, subject);
    return subject;
  }

  ofText(text: string, name: string): Promise<Subject> {
    return subjectOf(name, this.#compileText({ path: name, text }));
  }
}

function keyOf(files: readonly string[]): string {
  return JSON.stringify(files.map((file) => path.resolve(file)));
}

async function subjectOf(name: string, { bundle, diagnostics }: Compiled): Promise<Subject> {
  return { name, diagnostics, ...(bundle && { engine: await openRules(bundle) }) };
}
